// SPDX-License-Identifier: MIT
/*
 * Accesses a file of 6 GiB, more than a 32-bit process can address, through a
 * window of 1 MiB.
 *
 * The file is sparse, with stamps here and there and holes in between.  Stamps
 * are written with pwrite() and read through the window, and vice versa.
 */
#include <errno.h>
#include <pkmap/posix.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES   (6ull << 30)
#define WINDOW_BYTES (1u << 20)

/* Every STEP-th page is checked; every other one of these has a stamp. */
#define STEP	     1021

struct stamp {
	char magic[8];
	uint64_t offset; /* of its page in the file */
};

struct bigfile {
	int fd;
	struct pkmap_posix *hm;
	struct pkmap_window *win;
	pkmap_pfn npages;
	size_t page_size;
	unsigned long stamps;
	unsigned long holes;
};

static uint64_t page_offset(const struct bigfile *file, pkmap_pfn pfn)
{
	return (uint64_t)pfn * file->page_size;
}

/* Stamps are at different places in their pages. */
static size_t stamp_place(const struct bigfile *file, pkmap_pfn pfn)
{
	size_t places = file->page_size / sizeof(struct stamp);

	return pfn % places * sizeof(struct stamp);
}

static struct stamp make_stamp(const struct bigfile *file, pkmap_pfn pfn)
{
	return (struct stamp){ "a stamp", page_offset(file, pfn) };
}

static bool wants_stamp(pkmap_pfn pfn)
{
	return pfn / STEP % 2 == 0;
}

static int fail(const char *what)
{
	fprintf(stderr, "bigfile: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Unlinks the file, so that it is removed when the program ends. */
static int make_file(struct bigfile *file)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/pkmap-bigfile-XXXXXX",
		 dir ? dir : "/tmp");
	file->fd = mkstemp(path);
	if (file->fd < 0)
		return fail(path);
	unlink(path);
	if (ftruncate(file->fd, (off_t)FILE_BYTES))
		return fail("cannot make a file of 6 GiB");
	return 0;
}

static int write_stamps(const struct bigfile *file)
{
	pkmap_pfn pfn;

	for (pfn = 0; pfn < file->npages; pfn += STEP) {
		struct stamp stamp = make_stamp(file, pfn);
		uint64_t offset = stamp.offset + stamp_place(file, pfn);

		if (wants_stamp(pfn) && pwrite(file->fd, &stamp, sizeof(stamp),
					       (off_t)offset) != sizeof(stamp))
			return fail("cannot write a stamp");
	}
	return 0;
}

static bool is_zero(const char *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

static bool check_page(struct bigfile *file, pkmap_pfn pfn, const char *page)
{
	struct stamp stamp = make_stamp(file, pfn);
	size_t place = stamp_place(file, pfn);
	size_t after = place + sizeof(stamp);

	if (!wants_stamp(pfn)) {
		file->holes++;
		return is_zero(page, file->page_size);
	}
	file->stamps++;
	return !memcmp(page + place, &stamp, sizeof(stamp)) &&
	       is_zero(page, place) &&
	       is_zero(page + after, file->page_size - after);
}

static int read_stamps(struct bigfile *file)
{
	pkmap_pfn pfn;

	for (pfn = 0; pfn < file->npages; pfn += STEP) {
		void *page;
		bool ok;
		int err = pkmap_map(file->win, pfn, NULL, &page);

		if (err) {
			fprintf(stderr, "bigfile: cannot map page %lu: %s\n",
				pfn, pkmap_strerror(err));
			return -1;
		}
		/* The pages are far apart: avoids useless read-ahead. */
		madvise(page, file->page_size, MADV_RANDOM);
		ok = check_page(file, pfn, page);
		pkmap_unmap(file->win, page);
		if (!ok) {
			fprintf(stderr, "bigfile: page %lu is wrong\n", pfn);
			return -1;
		}
	}
	return 0;
}

/* Writes a stamp through the window, and looks for it in the file. */
static int stamp_through_window(const struct bigfile *file, pkmap_pfn pfn)
{
	struct stamp stamp = make_stamp(file, pfn);
	struct stamp seen;
	size_t place = stamp_place(file, pfn);
	void *page;
	int err;

	err = pkmap_map(file->win, pfn, NULL, &page);
	if (err) {
		fprintf(stderr, "bigfile: cannot map page %lu: %s\n", pfn,
			pkmap_strerror(err));
		return -1;
	}
	memcpy((char *)page + place, &stamp, sizeof(stamp));
	pkmap_unmap(file->win, page);

	if (pread(file->fd, &seen, sizeof(seen),
		  (off_t)(stamp.offset + place)) != sizeof(seen))
		return fail("cannot read a stamp");
	if (memcmp(&seen, &stamp, sizeof(seen))) {
		fprintf(stderr, "bigfile: page %lu did not reach the file\n",
			pfn);
		return -1;
	}
	return 0;
}

static int use_window(struct bigfile *file)
{
	/* Where 32 bits are not enough: around 2 GiB, 4 GiB and at the end. */
	const uint64_t edges[] = {
		(2ull << 30) - 1, 2ull << 30,	  (4ull << 30) - 1,
		4ull << 30,	  FILE_BYTES - 1,
	};
	const size_t nedges = sizeof(edges) / sizeof(edges[0]);
	struct pkmap_stats stats;
	size_t i;

	if (read_stamps(file))
		return -1;
	printf("read %lu stamps and %lu holes, all as they should be\n",
	       file->stamps, file->holes);
	for (i = 0; i < nedges; i++)
		if (stamp_through_window(
			    file, (pkmap_pfn)(edges[i] / file->page_size)))
			return -1;
	printf("wrote %zu stamps around 2 GiB, 4 GiB and 6 GiB, all there\n",
	       nedges);
	pkmap_read_stats(file->win, &stats);
	printf("%lu maps, %lu batches reclaimed\n", stats.hits + stats.misses,
	       stats.reclaims);
	return 0;
}

int main(void)
{
	struct bigfile file = { .page_size = (size_t)sysconf(_SC_PAGESIZE) };
	struct pkmap_posix_config config;
	int err;

	if (make_file(&file))
		return EXIT_FAILURE;
	config = (struct pkmap_posix_config){
		.fd = file.fd,
		.nslots = (uint32_t)(WINDOW_BYTES / file.page_size),
	};
	err = pkmap_posix_open(&config, &file.hm);
	if (err) {
		fprintf(stderr, "bigfile: %s\n", pkmap_strerror(err));
		return EXIT_FAILURE;
	}
	file.win = pkmap_posix_window(file.hm);
	file.npages = pkmap_posix_npages(file.hm);
	printf("%llu bytes through a window of %u, in a process of %zu-bit "
	       "addresses\n",
	       FILE_BYTES, WINDOW_BYTES, 8 * sizeof(void *));
	err = write_stamps(&file);
	if (!err)
		err = use_window(&file);
	if (pkmap_posix_close(file.hm))
		err = -1;
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
