/* SPDX-License-Identifier: MIT */
/*
 * Which instructions of the library were interrupted: the program's own symbol
 * table says where each function of the library is.
 */
#ifndef STEP_TEXT_H
#define STEP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the symbol table.  False, and said why, if it has not got one. */
bool text_open(void);

/* Whether the library's code is at @pc. */
bool text_contains(uintptr_t pc);

/* The function at @pc. */
const char *text_function(uintptr_t pc);

/* Notes that the instruction at @pc was interrupted.  Any context. */
void text_interrupted(uintptr_t pc);

/* How many different instructions were. */
size_t text_count(void);

/* Whether one in function @name was. */
bool text_was_interrupted(const char *name);

/* Prints how many were, function by function. */
void text_print(void);

#endif /* STEP_TEXT_H */
