/* SPDX-License-Identifier: MIT */
/* How a child process ended, in words. */
#ifndef TOOLS_COMMON_ENDED_H
#define TOOLS_COMMON_ENDED_H

#define ENDED_TEXT 64

/* "exit status 1" or "Killed"; @status is from waitpid().  Returns @text. */
const char *ended_text(char text[ENDED_TEXT], int status);

#endif /* TOOLS_COMMON_ENDED_H */
