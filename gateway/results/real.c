#include "gateway/results/real.h"

#include <stdio.h>
#include <stdlib.h>

char *pt_real_text(double number, char text[PT_REAL_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, PT_REAL_TEXT, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return text;
}
