#include "include/CDFResources.h"

// #embed is C23; the compiler has it in C17 too and would warn.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char dfdc_silver[] = {
#embed "Recipes/dfdc-silver.yaml"
};

static const df_resource recipes[] = {
  {"dfdc-silver", dfdc_silver, sizeof dfdc_silver},
};

static const unsigned char weights_catalogue[] = {
#embed "Catalogue/weights.yaml"
};

df_resource df_weights_catalogue(void) {
  return (df_resource){"weights", weights_catalogue, sizeof weights_catalogue};
}

// Aligned as safetensors aligns its tensors.
static const _Alignas(64) unsigned char look_alike_weights[] = {
#embed "Weights/look-alike.safetensors"
};

df_resource df_look_alike_weights(void) {
  return (df_resource){"look-alike", look_alike_weights, sizeof look_alike_weights};
}

static const unsigned char audit_page[] = {
#embed "Pages/audit.mustache"
};

df_resource df_audit_page(void) {
  return (df_resource){"audit", audit_page, sizeof audit_page};
}

size_t df_recipe_count(void) { return sizeof recipes / sizeof recipes[0]; }

df_resource df_recipe(size_t index) {
  if (index >= df_recipe_count()) return (df_resource){"", (const unsigned char *)"", 0};
  return recipes[index];
}
