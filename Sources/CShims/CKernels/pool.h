// How kernels use the threads.
#pragma once
#include "include/CKernels.h"
