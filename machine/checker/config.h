/* SPDX-License-Identifier: MIT */
/* config.h - which machines there can be, and what they are called. */
#ifndef MACHINE_CONFIG_H
#define MACHINE_CONFIG_H

#include "run.h"

/* The smallest machine that shows something: VIVT, one CPU. */
extern const struct machine_config config_smallest;

/* What keeps such a machine from being, in words; NULL: nothing. */
const char *config_wrong(const struct machine_config *config);

#define CONFIG_TEXT 96

/* "VIVT, 1 CPU"; returns @text. */
const char *config_text(const struct machine_config *config,
			char text[CONFIG_TEXT]);

/* What one has to know of its cache to follow a run, in lines. */
const char *config_about(const struct machine_config *config);

#endif /* MACHINE_CONFIG_H */
