/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The RUSM in C authors */
#include "net/net.h"

#include <openssl/evp.h>
#include <string.h>

#define KEY_CHARS    24u
#define SHA1_BYTES   20u
#define PADDED_BYTES 18 /* what EVP_DecodeBlock writes: the padding counts as zeroes */

/* RFC 6455, section 1.3. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* 24 characters of base64 that end in "==" hold 16 bytes. */
static bool is_key(const char *key) {
    unsigned char bytes[PADDED_BYTES];
    return strlen(key) == KEY_CHARS && strcmp(key + KEY_CHARS - 2, "==") == 0 &&
           key[KEY_CHARS - 3] != '=' &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key, (int)KEY_CHARS) == PADDED_BYTES;
}

enum rusm_err websocket_accept_key(const char *key, char accept[WEBSOCKET_ACCEPT_BYTES]) {
    if (!is_key(key)) {
        return RUSM_ERR_INVALID;
    }
    unsigned char text[KEY_CHARS + sizeof(guid) - 1];
    memcpy(text, key, KEY_CHARS);
    memcpy(text + KEY_CHARS, guid, sizeof(guid) - 1);
    unsigned char digest[SHA1_BYTES];
    if (EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha1(), NULL) != 1) {
        return RUSM_ERR_SYSTEM;
    }
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)sizeof(digest));
    return RUSM_OK;
}
