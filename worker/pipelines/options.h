/*
 *  The files TYPE/options.json, as text: made by embed.cmake.
 */
#ifndef PT_OPTIONS_H
#define PT_OPTIONS_H

extern const char pt_codon_export_options[];
extern const char pt_humanization_options[];
extern const char pt_immunogenicity_options[];
extern const char pt_stability_options[];

#endif
