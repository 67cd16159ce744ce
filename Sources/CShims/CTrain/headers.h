// What is included before the functions' target is set.
#include <math.h>
#include <string.h>

#include "include/CTrain.h"
