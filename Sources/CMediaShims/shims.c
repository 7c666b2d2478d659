#include "include/CMediaShims.h"
