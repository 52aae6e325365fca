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
#define TRASTUZUMAB_VH                                                                            \
    "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYC"  \
    "SRWGGDGFYAMDYWGQGTLVTVSS"
#define TRASTUZUMAB_VL                                                                            \
    "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHYTTPP" \
    "TFGQGTKVEIK"
/* The mouse antibody 4D5 that it was made from (Carter et al. 1992) */
#define MU4D5_VH                                                                                  \
    "EVQLQQSGPELVKPGASLKLSCTASGFNIKDTYIHWVKQRPEQGLEWIGRIYPTNGYTRYDPKFQDKATITADTSSNTAYLQVSRLTSEDTAVYYC"  \
    "SRWGGDGFYAMDYWGQGASVTVSS"
#define MU4D5_VL                                                                                  \
    "DIVMTQSHKFMSTSVGDRVSITCKASQDVNTAVAWYQQKPGHSPKLLIYSASFRYTGVPDRFTGNRSGTDFTFTISSVQAEDLAVYYCQQHYTTPP" \
    "TFGGGTKLEIK"
/* Human IGHG1 CH1 and IGKC */
#define CH1                                                                                       \
    "ASTKGPSVFPLAPSSKSTSGGTAALGCLVKDYFPEPVTVSWNSGALTSGVHTFPAVLQSSGLYSLSSVVTVPSSSLGTQTYICNVNHKPSNTKVDKKV"
#define CKAPPA                                                                                    \
    "RTVAAPSVFIFPPSDEQLKSGTASVVCLLNNFYPREAKVQWKVDNALQSGNSQESVTEQDSKDSTYSLSSTLTLSKADYEKHKVYACEVTHQGLSSP" \
    "VTKSFNRGEC"
#define LINKER "GGGGSGGGGSGGGGS"

#endif
