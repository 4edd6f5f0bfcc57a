/* SPDX-License-Identifier: MIT */
/* config.h - which machines are possible, and how they are described. */
#ifndef MACHINE_CHECKER_CONFIG_H
#define MACHINE_CHECKER_CONFIG_H

#include "run.h"

/* The smallest useful machine: VIVT, one CPU. */
extern const struct machine_config config_smallest;

/* Why there can be no such machine, in words; NULL if there can. */
const char *config_wrong(const struct machine_config *config);

#define CONFIG_TEXT 96

/* "VIVT, 1 CPU"; returns @text. */
const char *config_text(const struct machine_config *config,
			char text[CONFIG_TEXT]);

/* What a reader must know about the cache to follow a run: lines of text. */
const char *config_about(const struct machine_config *config);

#endif /* MACHINE_CHECKER_CONFIG_H */
