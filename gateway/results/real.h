/* Numbers as people read them. */
#ifndef PT_REAL_H
#define PT_REAL_H

/* The shortest text that reads back as the same finite double; returns `text`. */
#define PT_REAL_TEXT 40
char *pt_real_text(double number, char text[PT_REAL_TEXT]);

#endif
