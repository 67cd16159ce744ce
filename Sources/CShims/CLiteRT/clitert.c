#include "CLiteRT.h"

#include <stdlib.h>

void lrt_free(void *pointer) { free(pointer); }
