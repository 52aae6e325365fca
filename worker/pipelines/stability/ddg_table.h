/*
 *  `paratope-pipeline ddg --table FILE`: a table for people.
 */
#ifndef PT_DDG_TABLE_H
#define PT_DDG_TABLE_H

/*
 *  Reads tab-separated columns `sequence`, `position` (from 1), `mutant` and, where known (else
 * empty), `rsa` and the pair `wild_share` and `mutant_share` among the protein's relatives at that
 * place (all 0 to 1), from FILE (- is standard input) and prints the table with the column `ddg`
 * added. A row that cannot be computed has it empty, with the reason on standard error. Exit
 * status: 0, 1 when a row failed, 2 when the file cannot be read.
 */
int pt_ddg_table(const char *path);

#endif
