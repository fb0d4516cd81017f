/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "bridge/test_puppet_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include <rusm/link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMMAND 1024
#define ANSWER  (PUPPET_OUT - 16)
#define HEAP    49152 /* of a component: what it is given lies here until the next command */

struct function {
    const char *name; /* core: of module `rusm`; component: "interface function" */
    const char *type; /* of the core function */
    const char *wit;  /* component: its type */
};

static const struct function core_functions[] = {
    {"own_pid", ":I", NULL},
    {"notify", ":", NULL},
    {"send", "Iii:", NULL},
    {"receive", "ii:i", NULL},
    {"list_processes", "ii:i", NULL},
    {"is_alive", "I:i", NULL},
    {"kill", "I:i", NULL},
    {"register", "ii:i", NULL},
    {"unregister", "ii:i", NULL},
    {"whereis", "ii:I", NULL},
    {"set_label", "ii:", NULL},
    {"stream_open", "I:I", NULL},
    {"stream_write", "Iii:i", NULL},
    {"stream_close", "I:", NULL},
    {"stream_accept", ":I", NULL},
    {"stream_read", "Iii:i", NULL},
    {"spawn", "iii:I", NULL},
    {"monitor", "I:i", NULL},
    {"demonitor", "I:i", NULL},
    {"link", "I:i", NULL},
    {"unlink", "I:i", NULL},
    {"trap_exit", "i:i", NULL},
    {"exit", "iii:", NULL},
    {"receive_timeout", "iiI:i", NULL},
    {"receive_match", "iiiiI:i", NULL},
    {"stash", ":i", NULL},
    {"unstash", ":", NULL},
    {"send_after", "IIii:I", NULL},
    {"cancel_timer", "I:i", NULL},
    {"register_tag", "ii:i", NULL},
    {"unregister_tag", "ii:i", NULL},
    {"whereis_tag", "iiii:i", NULL},
    {"kill_tag", "ii:i", NULL},
    {"publish", "iiii:i", NULL},
    {"info", "Iii:i", NULL},
    {"supervise", "iiiii:I", NULL},
    {"log", "iii:", NULL},
};
#define CORE_FUNCTIONS (sizeof core_functions / sizeof core_functions[0])

/* In the order of their interfaces. */
static const struct function component_functions[] = {
    {"actor own-pid", ":I", "(result u64)"},
    {"actor spawn", "iii:", "(param \"c\" string) (result $started)"},
    {"actor spawn-from", "iiiii:", "(param \"c\" string) (param \"s\" string) (result $started)"},
    {"actor monitor", "I:", "(param \"t\" u64)"},
    {"actor send", "Iii:", "(param \"t\" u64) (param \"m\" $bytes)"},
    {"actor receive", "i:", "(result $bytes)"},
    {"actor receive-timeout", "Ii:", "(param \"t\" u64) (result $maybe)"},
    {"actor stash", "ii:", "(param \"m\" $bytes)"},
    {"actor unstash", ":", ""},
    {"actor list-processes", "i:", "(result (list u64))"},
    {"actor info", "Ii:", "(param \"t\" u64) (result (option $info))"},
    {"actor is-alive", "I:i", "(param \"t\" u64) (result bool)"},
    {"actor kill", "I:i", "(param \"t\" u64) (result bool)"},
    {"actor register", "ii:i", "(param \"n\" string) (result bool)"},
    {"actor unregister", "ii:i", "(param \"n\" string) (result bool)"},
    {"actor whereis", "iii:", "(param \"n\" string) (result (option u64))"},
    {"actor set-label", "ii:", "(param \"l\" string)"},
    {"actor supervise", "iiiiii:",
     "(param \"s\" $strategy) (param \"c\" (list string)) (param \"m\" u32) (param \"w\" u32) "
     "(result $started)"},
    {"actor send-after", "IIii:I",
     "(param \"t\" u64) (param \"d\" u64) (param \"m\" $bytes) (result u64)"},
    {"actor cancel-timer", "I:i", "(param \"t\" u64) (result bool)"},
    {"pg register-tag", "ii:", "(param \"t\" string)"},
    {"pg unregister-tag", "ii:", "(param \"t\" string)"},
    {"pg whereis-tag", "iii:", "(param \"t\" string) (result (list u64))"},
    {"pg kill-tag", "ii:i", "(param \"t\" string) (result u32)"},
    {"log log", "iii:", "(param \"l\" $level) (param \"m\" string)"},
    {"links spawn-link", "iii:", "(param \"c\" string) (result $started)"},
    {"links spawn-monitor", "iii:", "(param \"c\" string) (result $started)"},
    {"links link", "Ii:", "(param \"t\" u64) (result (result (error string)))"},
    {"links unlink", "I:i", "(param \"t\" u64) (result bool)"},
    {"links demonitor", "I:i", "(param \"t\" u64) (result bool)"},
    {"links trap-exit", "i:i", "(param \"o\" bool) (result bool)"},
    {"links exit", "iii:", "(param \"r\" $reason) (param \"d\" string)"},
    {"mailbox receive-match", "iiIi:", "(param \"p\" $bytes) (param \"t\" u64) (result $maybe)"},
    {"groups publish", "iiii:i", "(param \"t\" string) (param \"m\" $bytes) (result u32)"},
};
#define COMPONENT_FUNCTIONS (sizeof component_functions / sizeof component_functions[0])

size_t puppet_function_count(void) {
    return CORE_FUNCTIONS;
}

const char *puppet_function_type(uint32_t index) {
    RUSM_ASSERT(index < CORE_FUNCTIONS);
    return core_functions[index].type;
}

/* ---- texts ---- */

struct text {
    char *data;
    size_t len;
    size_t capacity;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
    char piece[1024];
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it does not see va_start, just above */
    int len = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    RUSM_ASSERT(len >= 0 && (size_t)len < sizeof piece);
    if (text->len + (size_t)len + 1 > text->capacity) {
        text->capacity = 2 * (text->len + (size_t)len + 1);
        text->data = rusm_realloc(text->data, text->capacity);
        RUSM_ASSERT(text->data);
    }
    memcpy(text->data + text->len, piece, (size_t)len + 1);
    text->len += (size_t)len;
}

static void add_import(struct text *text, const char *module, const char *name, size_t index,
                       const char *type) {
    add(text, "(import \"%s\" \"%s\" (func $f%zu", module, name, index);
    for (const char *at = type; *at != ':'; at++) {
        add(text, " (param %s)", *at == 'i' ? "i32" : "i64");
    }
    const char *result = strchr(type, ':') + 1;
    if (*result) {
        add(text, " (result %s)", *result == 'i' ? "i32" : "i64");
    }
    add(text, "))\n");
}

/* If it is function `index` that is wanted, call it. */
static void add_call(struct text *text, size_t index, const char *type) {
    const char *result = strchr(type, ':') + 1;
    add(text, "(if (i32.eq (local.get $f) (i32.const %zu)) (then ", index);
    if (*result) {
        add(text, "(i64.store (i32.const %d) %s", PUPPET_OUT - 8,
            *result == 'i' ? "(i64.extend_i32_s " : "(");
    }
    add(text, *result == 'I' ? "call $f%zu" : "(call $f%zu", index);
    for (int i = 0; type[i] != ':'; i++) {
        add(text,
            type[i] == 'i' ? " (i32.wrap_i64 (i64.load (i32.const %d)))"
                           : " (i64.load (i32.const %d))",
            COMMAND + 16 + 8 * i);
    }
    add(text, *result ? "))" : ")");
    add(text, *result == 'i' ? ")))\n" : "))\n");
}

static void add_calls(struct text *text, const struct function *functions, size_t count) {
    add(text,
        "(local.set $f (i32.load (i32.const %d)))"
        "(i64.store (i32.const %d) (i64.const 0))\n",
        COMMAND + 4, PUPPET_OUT - 8);
    for (size_t i = 0; i < count; i++) {
        add_call(text, i, functions[i].type);
    }
}

static size_t index_of(const struct function *functions, size_t count, const char *name) {
    size_t i = 0;
    while (i < count && strcmp(functions[i].name, name) != 0) {
        i++;
    }
    RUSM_ASSERT(i < count);
    return i;
}

#define MEMORY "(data (i32.const 0) \"cmd:\") (data (i32.const %d) \"ret:\")\n"

char *puppet_module(void) {
    struct text text = {.data = NULL};
    add(&text, "(module\n");
    for (size_t i = 0; i < CORE_FUNCTIONS; i++) {
        add_import(&text, "rusm", core_functions[i].name, i, core_functions[i].type);
    }
    add(&text, "(memory (export \"memory\") 1)" MEMORY, ANSWER);
    add(&text,
        "(func (export \"run\") (local $f i32) (loop $next\n"
        "(drop (call $f%zu (i32.const 0) (i32.const 4) (i32.const %d) (i32.const %d) "
        "(i64.const -1)))\n",
        index_of(core_functions, CORE_FUNCTIONS, "receive_match"), COMMAND,
        PUPPET_DATA - COMMAND + PUPPET_DATA_BYTES);
    add_calls(&text, core_functions, CORE_FUNCTIONS);
    add(&text,
        "(call $f%zu (i64.load (i32.const %d)) (i32.const %d) (i32.const %d))\n"
        "(br $next))))\n",
        index_of(core_functions, CORE_FUNCTIONS, "send"), COMMAND + 8, ANSWER,
        16 + PUPPET_OUT_BYTES);
    return text.data;
}

/* ---- the component ---- */

static const char *const interface_types[][3] = {
    {"actor", "0.1.0",
     "(type $info_ (record (field \"pid\" u64) (field \"links\" u32) (field \"monitors\" u32) "
     "(field \"names\" (list string)) (field \"label\" (option string)) "
     "(field \"mailbox-depth\" u32) (field \"trap-exit\" bool)))"
     "(export \"process-info\" (type $info (eq $info_)))"
     "(type $strategy_ (enum \"one-for-one\" \"one-for-all\" \"rest-for-one\"))"
     "(export \"supervise-strategy\" (type $strategy (eq $strategy_)))"},
    {"pg", "0.1.0", ""},
    {"log", "0.1.0",
     "(type $level_ (enum \"error\" \"warn\" \"info\" \"debug\"))"
     "(export \"log-level\" (type $level (eq $level_)))"},
    {"links", "0.2.0",
     "(type $reason_ (enum \"normal\" \"shutdown\" \"crashed\"))"
     "(export \"exit-reason\" (type $reason (eq $reason_)))"},
    {"mailbox", "0.2.0", ""},
    {"groups", "0.2.0", ""},
};

/* Whether function `index` is of the interface; its name in it. */
static const char *in_interface(size_t index, const char *interface) {
    size_t len = strlen(interface);
    const char *name = component_functions[index].name;
    return strncmp(name, interface, len) == 0 && name[len] == ' ' ? name + len + 1 : NULL;
}

static void add_interfaces(struct text *text) {
    for (size_t i = 0; i < sizeof interface_types / sizeof interface_types[0]; i++) {
        const char *const *interface = interface_types[i];
        add(text, "(import \"rusm:runtime/%s@%s\" (instance $%s\n%s\n", interface[0], interface[1],
            interface[0], interface[2]);
        add(text, "(type $bytes (list u8)) (type $maybe (option $bytes))"
                  "(type $started (result u64 (error string)))\n");
        for (size_t f = 0; f < COMPONENT_FUNCTIONS; f++) {
            const char *name = in_interface(f, interface[0]);
            if (name) {
                add(text, "(export \"%s\" (func %s))\n", name, component_functions[f].wit);
            }
        }
        add(text, "))\n");
        for (size_t f = 0; f < COMPONENT_FUNCTIONS; f++) {
            const char *name = in_interface(f, interface[0]);
            if (name) {
                add(text,
                    "(core func $c%zu (canon lower (func $%s \"%s\") (memory (core memory $m "
                    "\"memory\")) "
                    "(realloc (core func $m \"realloc\"))))\n",
                    f, interface[0], name);
            }
        }
    }
}

static void add_main(struct text *text) {
    add(text, "(core module $Main (import \"m\" \"memory\" (memory 2))"
              "(import \"m\" \"top\" (global $top (mut i32)))\n");
    for (size_t i = 0; i < COMPONENT_FUNCTIONS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%zu", i);
        add_import(text, "host", name, i, component_functions[i].type);
    }
    /* The command is given as option<list<u8>>: a byte, then where and how long. */
    add(text, MEMORY, ANSWER);
    add(text,
        "(func (export \"run\") (local $f i32) (loop $next\n"
        "(global.set $top (i32.const %d))"
        "(call $f%zu (i32.const 0) (i32.const 4) (i64.const -1) (i32.const 16))\n"
        "(memory.copy (i32.const %d) (i32.load (i32.const 20)) (i32.load (i32.const 24)))"
        "(global.set $top (i32.const %d))\n",
        HEAP, index_of(component_functions, COMPONENT_FUNCTIONS, "mailbox receive-match"), COMMAND,
        HEAP);
    add_calls(text, component_functions, COMPONENT_FUNCTIONS);
    /* What a string or list result points to is behind the return area. */
    add(text,
        "(memory.copy (i32.const %d) (i32.const %d) (i32.const %d))"
        "(call $f%zu (i64.load (i32.const %d)) (i32.const %d) (i32.const %d))\n"
        "(br $next))))\n",
        PUPPET_OUT + PUPPET_OUT_BYTES / 2, HEAP, PUPPET_OUT_BYTES / 2,
        index_of(component_functions, COMPONENT_FUNCTIONS, "actor send"), COMMAND + 8, ANSWER,
        16 + PUPPET_OUT_BYTES);
}

char *puppet_component(void) {
    struct text text = {.data = NULL};
    add(&text,
        "(component\n"
        "(core module $M (memory (export \"memory\") 2)"
        "(global $top (export \"top\") (mut i32) (i32.const %d))"
        "(func (export \"realloc\") (param i32 i32 i32 i32) (result i32)"
        "(global.set $top (i32.and (i32.add (global.get $top) (i32.const 7))"
        " (i32.const -8)))"
        "(global.get $top)"
        "(global.set $top (i32.add (global.get $top) (local.get 3)))))"
        "(core instance $m (instantiate $M))\n",
        HEAP);
    add_interfaces(&text);
    add_main(&text);
    add(&text, "(core instance $main (instantiate $Main (with \"m\" (instance $m)) "
               "(with \"host\" (instance\n");
    for (size_t i = 0; i < COMPONENT_FUNCTIONS; i++) {
        add(&text, "(export \"f%zu\" (func $c%zu))\n", i, i);
    }
    add(&text, "))))(func (export \"run\") (canon lift (core func $main \"run\"))))\n");
    return text.data;
}

/* ---- commands ---- */

struct command {
    char mark[4];
    uint32_t function;
    rusm_pid reply_to;
    int64_t args[PUPPET_ARGS_MAX];
    uint8_t data[PUPPET_DATA_BYTES];
};
_Static_assert(offsetof(struct command, data) == PUPPET_DATA - COMMAND, "where the data lies");

void puppet_tell_index(rusm_pid puppet, uint32_t index, const void *data, size_t len,
                       const int64_t *args) {
    struct command command = {.mark = "cmd:", .function = index, .reply_to = rusm_self()};
    RUSM_ASSERT(len <= sizeof command.data);
    memcpy(command.args, args, sizeof command.args);
    if (len > 0) {
        memcpy(command.data, data, len);
    }
    (void)rusm_send(puppet, &command, offsetof(struct command, data) + len);
}

void puppet_tell(rusm_pid puppet, const char *function, const void *data, size_t len,
                 const int64_t *args) {
    size_t index = strchr(function, ' ')
                       ? index_of(component_functions, COMPONENT_FUNCTIONS, function)
                       : index_of(core_functions, CORE_FUNCTIONS, function);
    puppet_tell_index(puppet, (uint32_t)index, data, len, args);
}

static bool is_answer(void *arg, const struct rusm_msg *msg) {
    const rusm_pid *puppet = arg;
    return msg->kind == RUSM_MSG_DOWN
               ? rusm_msg_down(msg)->pid.v == puppet->v
               : msg->len == 16 + PUPPET_OUT_BYTES && memcmp(msg->data, "ret:", 4) == 0;
}

struct puppet_answer puppet_hear(rusm_pid puppet) {
    struct puppet_answer answer = {.ended = false};
    const struct rusm_msg *msg = rusm_receive_match(is_answer, &puppet, RUSM_FOREVER);
    if (msg->kind == RUSM_MSG_DOWN) {
        const struct rusm_exit_reason *reason = &rusm_msg_down(msg)->reason;
        size_t len = reason->payload_bytes < sizeof answer.text ? reason->payload_bytes
                                                                : sizeof answer.text - 1;
        answer.ended = true;
        answer.kind = reason->kind;
        if (len > 0) {
            memcpy(answer.text, reason->payload, len);
        }
    } else {
        memcpy(&answer.value, (const uint8_t *)msg->data + 8, sizeof answer.value);
        memcpy(answer.out, (const uint8_t *)msg->data + 16, sizeof answer.out);
    }
    return answer;
}

struct puppet_answer puppet_ask(rusm_pid puppet, const char *function, const char *text,
                                const int64_t *args) {
    puppet_tell(puppet, function, text, strlen(text), args);
    return puppet_hear(puppet);
}
