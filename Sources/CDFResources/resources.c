#include "include/CDFResources.h"
