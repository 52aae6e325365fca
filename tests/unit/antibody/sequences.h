/* Public sequences that several tests use. */
#ifndef PT_TEST_SEQUENCES_H
#define PT_TEST_SEQUENCES_H

/* cmocka wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Trastuzumab (INN list) */
#define TRASTUZUMAB_VH                                                                             \
    "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTA" \
    "VYYC"                                                                                         \
    "SRWGGDGFYAMDYWGQGTLVTVSS"
#define TRASTUZUMAB_VL                                                                             \
    "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHY" \
    "TTPP"                                                                                         \
    "TFGQGTKVEIK"
/* The mouse antibody 4D5 that it was made from (Carter et al. 1992) */
#define MU4D5_VH                                                                                   \
    "EVQLQQSGPELVKPGASLKLSCTASGFNIKDTYIHWVKQRPEQGLEWIGRIYPTNGYTRYDPKFQDKATITADTSSNTAYLQVSRLTSEDTA" \
    "VYYC"                                                                                         \
    "SRWGGDGFYAMDYWGQGASVTVSS"
#define MU4D5_VL                                                                                   \
    "DIVMTQSHKFMSTSVGDRVSITCKASQDVNTAVAWYQQKPGHSPKLLIYSASFRYTGVPDRFTGNRSGTDFTFTISSVQAEDLAVYYCQQHY" \
    "TTPP"                                                                                         \
    "TFGGGTKLEIK"
/* Human IGHG1 CH1 and IGKC */
#define CH1                                                                                        \
    "ASTKGPSVFPLAPSSKSTSGGTAALGCLVKDYFPEPVTVSWNSGALTSGVHTFPAVLQSSGLYSLSSVVTVPSSSLGTQTYICNVNHKPSNT" \
    "KVDKKV"
#define CKAPPA                                                                                     \
    "RTVAAPSVFIFPPSDEQLKSGTASVVCLLNNFYPREAKVQWKVDNALQSGNSQESVTEQDSKDSTYSLSSTLTLSKADYEKHKVYACEVTHQ" \
    "GLSSP"                                                                                        \
    "VTKSFNRGEC"
#define LINKER "GGGGSGGGGSGGGGS"

#endif
