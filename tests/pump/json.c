// SPDX-License-Identifier: MIT
/* The JSON summary of "pkmap pump" is complete, well-formed and plausible. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES	  1000003
#define PAGE_SIZE 65536
#define PAGES	  ((BYTES + PAGE_SIZE - 1) / PAGE_SIZE)
#define LINE	  64

struct summary {
	json_int_t bytes;
	json_int_t holes;
	json_int_t page_size;
	json_int_t slots;
	json_int_t frames;
	json_int_t threads;
	json_int_t hits;
	json_int_t misses;
	json_int_t waits;
	json_int_t batches;
	json_int_t reclaimed;
	json_int_t dma_maps;
	json_int_t in_use;
	json_int_t idle;
	json_int_t not_mapped;
	json_int_t cleaned;
	json_int_t invalidated;
	json_int_t clean_invalidated;
	json_int_t rate;
	json_int_t taken;
	json_int_t pins;
	json_int_t pin_misses;
	json_int_t compared;
	double seconds;
	double bytes_per_second;
	double hit_ratio;
	const char *device_read;
	const char *device_write;
	const char *sha256;
	int strict;
};

static int tests;
static int failures;

static void check(bool ok, const char *what)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++tests, what);
	failures += !ok;
}

/* The names are in the environment, so that the shell does not parse them. */
static json_t *pump(const char *tool, const char *in, const char *out)
{
	char command[256];
	json_error_t error;
	json_t *json;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "\"$TOOL\" pump --json --strict --slots 4 --frames 9"
		 " --threads 3 --irq-rate 20000 --page-size %d \"$IN\""
		 " \"$OUT\"",
		 PAGE_SIZE);
	setenv("TOOL", tool, 1);
	setenv("IN", in, 1);
	setenv("OUT", out, 1);
	pipe = popen(command, "r");
	if (!pipe)
		return NULL;
	json = json_loadf(pipe, 0, &error);
	if (!json)
		printf("# line %d: %s\n", error.line, error.text);
	check(pclose(pipe) == 0, "exit status 0");
	return json;
}

/* clang-format off */
/* "!": there are no other keys. */
static bool unpack(json_t *json, struct summary *s)
{
	json_error_t error;

	if (!json_unpack_ex(json, &error, JSON_STRICT,
			    "{s:I, s:I, s:F, s:F, s:s, s:s,"
			    " s:I, s:I, s:I, s:I, s:b,"
			    " s:{s:I, s:I, s:F, s:I!}, s:{s:I, s:I!},"
			    " s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I!},"
			    " s:{s:I, s:I, s:I, s:I, s:I!}, s:s!}",
			    "bytes", &s->bytes, "holes", &s->holes,
			    "seconds", &s->seconds,
			    "bytes_per_second", &s->bytes_per_second,
			    "device_read", &s->device_read,
			    "device_write", &s->device_write,
			    "page_size", &s->page_size, "slots", &s->slots,
			    "frames", &s->frames, "threads", &s->threads,
			    "strict", &s->strict,
			    "maps", "hits", &s->hits, "misses", &s->misses,
			    "hit_ratio", &s->hit_ratio, "waits", &s->waits,
			    "reclaims", "batches", &s->batches,
			    "slots", &s->reclaimed,
			    "dma", "maps", &s->dma_maps,
			    "in_use", &s->in_use, "idle", &s->idle,
			    "not_mapped", &s->not_mapped,
			    "cleaned", &s->cleaned,
			    "invalidated", &s->invalidated,
			    "clean_invalidated", &s->clean_invalidated,
			    "interrupts", "rate", &s->rate, "taken", &s->taken,
			    "pins", &s->pins, "pin_misses", &s->pin_misses,
			    "compared", &s->compared,
			    "sha256", &s->sha256))
		return true;
	printf("# %s\n", error.text);
	return false;
}
/* clang-format on */

static void check_values(const struct summary *s)
{
	check(s->bytes == BYTES && !s->holes,
	      "bytes is the file's size, which has no holes");
	check(s->page_size == PAGE_SIZE && s->slots == 4 && s->frames == 9 &&
		      s->threads == 3 && s->strict && s->rate == 20000,
	      "the options are as given");
	check(s->seconds > 0 && s->bytes_per_second > 0, "it took some time");
	/* Under contention some hits are not counted; all misses are. */
	check(s->hits >= 0 && s->misses > 0 && s->hits + s->misses <= 2 * PAGES,
	      "no page was mapped twice");
	check(s->hit_ratio >= 0 && s->hit_ratio < 1, "hit ratio is a ratio");
	check(s->waits >= 0 && s->batches > 0 && s->reclaimed >= s->misses - 4,
	      "slots were reclaimed");
	check(s->dma_maps == 2 * PAGES,
	      "each page was mapped for both devices");
	check(s->in_use >= 0 && s->idle >= 0 && s->not_mapped > 0 &&
		      s->in_use + s->idle + s->not_mapped == 2 * PAGES,
	      "each page was looked up once per map");
	check(s->cleaned == (BYTES + LINE - 1) / LINE,
	      "the lines of written data are cleaned");
	check(s->invalidated == PAGES * PAGE_SIZE / LINE &&
		      s->clean_invalidated == 0,
	      "the lines of read data are invalidated, and none is shared");
	check(s->pins + s->pin_misses == s->taken && s->compared <= s->pins,
	      "every interrupt is accounted for");
	check(strlen(s->sha256) == 64 &&
		      strspn(s->sha256, "0123456789abcdef") == 64,
	      "SHA-256");
}

static bool make_input(const char *path)
{
	FILE *file = fopen(path, "w");
	int i;

	if (!file)
		return false;
	for (i = 0; i < BYTES; i++)
		putc(i * 7 >> 3, file);
	return !fclose(file);
}

static char *make_directory(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (asprintf(&dir, "%s/pkmap-json-XXXXXX", tmp && *tmp ? tmp : "/tmp") <
	    0)
		return NULL;
	return mkdtemp(dir) && !chdir(dir) ? dir : NULL;
}

int main(int argc, char **argv)
{
	char *tool = argc == 2 ? realpath(argv[1], NULL) : NULL;
	struct summary summary;
	json_t *json;
	char *dir;

	if (!tool)
		return EXIT_FAILURE;
	dir = make_directory();
	if (!dir || !make_input("in"))
		return EXIT_FAILURE;
	json = pump(tool, "in", "out");
	check(json, "it is JSON");
	check(json && unpack(json, &summary), "every key is there");
	if (!failures)
		check_values(&summary);
	printf("1..%d\n", tests);
	json_decref(json);
	unlink("in");
	unlink("out");
	rmdir(dir);
	free(dir);
	free(tool);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
