/* SPDX-License-Identifier: MIT */
/* How another process ended. */
#ifndef TOOLS_COMMON_ENDED_H
#define TOOLS_COMMON_ENDED_H

#define ENDED_TEXT 64

/* "exit status 1" or "Killed"; @status is waitpid()'s. */
const char *ended_text(char text[ENDED_TEXT], int status);

#endif /* TOOLS_COMMON_ENDED_H */
