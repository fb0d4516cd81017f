/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include <rusm/err.h>

static const char *const names[] = {
#define ERR_NAME(name, text) #name,
    RUSM_ERR_MAP(ERR_NAME)
#undef ERR_NAME
};

static const char *const texts[] = {
#define ERR_TEXT(name, text) text,
    RUSM_ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
};

const char *rusm_err_name(enum rusm_err err) {
    return (unsigned)err < RUSM_ERR_COUNT ? names[err] : "ERR_?";
}

const char *rusm_err_text(enum rusm_err err) {
    return (unsigned)err < RUSM_ERR_COUNT ? texts[err] : "an error code that does not exist";
}
