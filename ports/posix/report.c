// SPDX-License-Identifier: MIT
/*
 * report.c - prints misuses on standard error, for a program that sets no
 * report functions.
 *
 * A misuse can happen in a signal handler, so this uses neither stdio nor
 * malloc(): a line is built on the stack and written by one write().
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "posix_priv.h"

#define LINE_BYTES 320

struct line {
	char text[LINE_BYTES];
	size_t len;
};

/* Text that does not fit is cut off.  There is always room for a newline. */
static void append(struct line *line, const char *text)
{
	while (*text && line->len < LINE_BYTES - 1)
		line->text[line->len++] = *text++;
}

static void append_number(struct line *line, uint64_t n, unsigned int base)
{
	char digits[24];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		*--first = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	append(line, first);
}

/*
 * Not write(), which is a cancellation point.  If standard error is closed, the
 * line is lost.  It does not end up in one of our files: none is number 2 (see
 * posix.c).
 */
static void write_line(struct line *line)
{
	int saved = errno;

	line->text[line->len++] = '\n';
	syscall(SYS_write, STDERR_FILENO, line->text, line->len);
	errno = saved;
}

void pkmap_posix_print_report(const struct pkmap_report *report)
{
	struct line line = { .len = 0 };

	append(&line, "pkmap: ");
	append(&line, report->call);
	if (report->pfn != PKMAP_NO_PFN) {
		append(&line, ": page ");
		append_number(&line, report->pfn, 10);
	}
	if (report->addr) {
		append(&line, report->pfn != PKMAP_NO_PFN ? " at 0x" : ": 0x");
		append_number(&line, (uintptr_t)report->addr, 16);
	}
	append(&line, ": ");
	append(&line, pkmap_strmisuse(report->what));
	if (report->users) {
		append(&line, " by ");
		append_number(&line, report->users, 10);
	}
	write_line(&line);
}

static void append_buffer(struct line *line, const struct pkmap_dma_buffer *buf,
			  enum pkmap_dma_dir dir)
{
	static const char *const directions[] = {
		[PKMAP_DMA_TO_DEVICE] = " to the device",
		[PKMAP_DMA_FROM_DEVICE] = " from the device",
		[PKMAP_DMA_BIDIRECTIONAL] = " both ways",
	};

	append_number(line, buf->len, 10);
	append(line, " bytes at ");
	append_number(line, buf->offset, 10);
	append(line, " of page ");
	append_number(line, buf->pfn, 10);
	if (dir >= PKMAP_DMA_TO_DEVICE && dir <= PKMAP_DMA_BIDIRECTIONAL)
		append(line, directions[dir]);
}

void pkmap_posix_print_dma_report(const struct pkmap_dma_report *report)
{
	struct line line = { .len = 0 };

	append(&line, "pkmap: ");
	append(&line, report->call);
	append(&line, ": ");
	append_buffer(&line, &report->buf, report->dir);
	append(&line, ": ");
	append(&line, pkmap_dma_strmisuse(report->what));
	if (report->known.len) {
		append(&line, ": ");
		append_buffer(&line, &report->known, report->known_dir);
	}
	write_line(&line);
}
