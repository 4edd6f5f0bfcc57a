// SPDX-License-Identifier: MIT
/*
 * posix.c - opening and closing: the file, the address space, the window.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix_priv.h"

#define DEFAULT_SLOTS	    64
#define DEFAULT_LOCAL_SLOTS 4
#define DEFAULT_DMA_SLOTS   4

#define MAX_SLOTS	    ((1 << 30) - 1) /* the limit of pkmap_config */

/* How many mappings the allocation of a window's memory may use. */
#define ALLOCATION_MAPPINGS 8

/*
 * With large pages a window has fewer CPUs by default: as many as have their
 * local slots in this much address space, but at least two.
 */
#define DEFAULT_LOCAL_BYTES (UINTPTR_MAX > UINT32_MAX ? 256u << 20 : 64u << 20)
#define DEFAULT_NCPUS_MIN   2u

/* Debug builds find a use after unmap. */
#ifdef PKMAP_DEBUG
#define ALWAYS_STRICT true
#else
#define ALWAYS_STRICT false
#endif

static void report(void *port, const struct pkmap_report *what)
{
	struct pkmap_posix *p = port;

	if (p->report)
		p->report(p->report_arg, what);
	else
		pkmap_posix_print_report(what);
}

static const struct pkmap_ops ops = {
	.set = pkmap_posix_set,
	.clear = pkmap_posix_clear,
	.clear_now = pkmap_posix_clear_now,
	.lock = pkmap_posix_lock,
	.trylock = pkmap_posix_trylock,
	.unlock = pkmap_posix_unlock,
	.wait = pkmap_posix_wait,
	.wake = pkmap_posix_wake,
	.local_enter = pkmap_posix_local_enter,
	.local_cpu = pkmap_posix_local_cpu,
	.local_leave = pkmap_posix_local_leave,
	.report = report,
};

static int set_page_size(struct pkmap_posix *p, size_t page_size)
{
	size_t system = (size_t)sysconf(_SC_PAGESIZE);

	if (!page_size)
		page_size = system;
	/* Both are powers of two: the larger is a multiple of the smaller. */
	if (page_size < system || page_size & (page_size - 1))
		return pkmap_posix_invalid();

	p->page_shift = (uint32_t)__builtin_ctzl(page_size);
	return 0;
}

/* Refuses more pages than an off_t or a pkmap_pfn can express. */
static int set_npages(struct pkmap_posix *p, uint64_t npages)
{
	if (!npages || npages > (uint64_t)INT64_MAX >> p->page_shift ||
	    npages > PKMAP_NO_PFN)
		return pkmap_posix_invalid();

	p->npages = (pkmap_pfn)npages;
	return 0;
}

/*
 * So that none of our files becomes standard error, if the program has closed
 * that: reports would be written to it.
 */
static int dup_above_stderr(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Keeps errno. */
static void close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

static int create_memfd(void)
{
	int fd = memfd_create("pkmap", MFD_CLOEXEC);
	int high;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	high = dup_above_stderr(fd);
	close_keeping_errno(fd);
	return high;
}

static int open_memfd(struct pkmap_posix *p, pkmap_pfn npages)
{
	int err = set_npages(p, npages);

	if (err)
		return err;

	p->fd = create_memfd();
	if (p->fd < 0)
		return pkmap_posix_errno_code();
	if (ftruncate(p->fd, (off_t)npages << p->page_shift) < 0)
		return pkmap_posix_errno_code();
	return 0;
}

/* The size of a regular file or block device.  Leaves the file offset alone. */
static int file_bytes(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pkmap_posix_errno_code();
	if (S_ISBLK(st.st_mode)) {
		/* In some C libraries the request of ioctl() is an int. */
		if (syscall(SYS_ioctl, fd, BLKGETSIZE64, bytes) < 0)
			return pkmap_posix_errno_code();
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : ENODEV;
		return PKMAP_EIO;
	}
	*bytes = (uint64_t)st.st_size;
	return 0;
}

static int open_file(struct pkmap_posix *p,
		     const struct pkmap_posix_config *config)
{
	uint64_t npages = config->npages;
	uint64_t bytes;
	int err;

	/* @fd was not set.  Do not use standard input by accident. */
	if (!config->fd)
		return pkmap_posix_invalid();

	p->lent = config->lend_fd;
	p->fd = p->lent ? config->fd : dup_above_stderr(config->fd);
	if (p->fd < 0)
		return pkmap_posix_errno_code();

	err = file_bytes(p->fd, &bytes);
	if (err)
		return err;

	if (!npages) {
		npages = bytes >> p->page_shift;
		npages += npages << p->page_shift < bytes;
	}
	return set_npages(p, npages);
}

/*
 * Finds out whether the kernel can map the file's pages, by mapping the last
 * one.  The file may be open in the wrong mode, sealed, on a file system
 * without mmap(), or too large for the offsets of a 32-bit kernel.
 */
static int probe_mmap(struct pkmap_posix *p, bool read_only)
{
	if (pkmap_posix_mmap_page(p, p->base, p->npages - 1, read_only) ==
		    MAP_FAILED ||
	    !pkmap_posix_clear_range(p, p->base, (size_t)1 << p->page_shift))
		return pkmap_posix_errno_code();
	return 0;
}

/* For a window or DMA layer; @bytes is 0 if its configuration is invalid. */
int pkmap_posix_allocate(size_t bytes, void **mem)
{
	int err;

	if (!bytes)
		return pkmap_posix_invalid();
	err = posix_memalign(mem, PKMAP_ALIGN, bytes);
	if (!err)
		return 0;
	errno = err;
	return PKMAP_ENOMEM;
}

static uint32_t value_or_default(uint32_t n, uint32_t if_zero)
{
	if (n == PKMAP_POSIX_NONE)
		return 0;
	return n ? n : if_zero;
}

/* With those for DMA calls. */
static uint64_t local_slots_per_cpu(const struct pkmap_config *window)
{
	return (uint64_t)window->local_slots + window->dma_slots;
}

/* The distance between slots, as a shift. */
static uint32_t slot_shift(const struct pkmap_config *window)
{
	return window->page_shift + window->guard;
}

static uint32_t default_ncpus(const struct pkmap_config *window)
{
	uint64_t fit = DEFAULT_LOCAL_BYTES >> slot_shift(window);

	if (local_slots_per_cpu(window))
		fit /= local_slots_per_cpu(window);
	if (fit > PKMAP_POSIX_NCPUS)
		return PKMAP_POSIX_NCPUS;
	return fit < DEFAULT_NCPUS_MIN ? DEFAULT_NCPUS_MIN : (uint32_t)fit;
}

static void *allocate_zeroed(size_t n, size_t size)
{
	void *mem;

	if (pkmap_posix_allocate(n * size, &mem))
		return NULL;
	return memset(mem, 0, n * size);
}

static bool ncpus_valid(uint32_t ncpus)
{
	return ncpus <= PKMAP_POSIX_THREADS;
}

static int allocate_cpus(struct pkmap_posix *p, uint32_t ncpus)
{
	if (!ncpus_valid(ncpus))
		return pkmap_posix_invalid();

	p->ncpus = ncpus;
	p->threads = allocate_zeroed(PKMAP_POSIX_THREADS, sizeof(*p->threads));
	p->cpus = allocate_zeroed(ncpus, sizeof(*p->cpus));
	return p->threads && p->cpus ? 0 : PKMAP_ENOMEM;
}

/* The window's configuration, with defaults for what @config leaves open. */
static struct pkmap_config
window_config(const struct pkmap_posix *p,
	      const struct pkmap_posix_config *config)
{
	struct pkmap_config window = {
		.ops = &ops,
		.page_shift = p->page_shift,
		.nslots = value_or_default(config->nslots, DEFAULT_SLOTS),
		.guard = config->guard,
		.cache = { .kind = PKMAP_CACHE_PIPT },
		.batch = config->batch,
		.read_only = config->read_only,
		.local_slots = value_or_default(config->local_slots,
						DEFAULT_LOCAL_SLOTS),
		.dma_slots =
			value_or_default(config->dma_slots, DEFAULT_DMA_SLOTS),
		.ncpus = config->ncpus,
	};

	if (!window.ncpus)
		window.ncpus = default_ncpus(&window);
	return window;
}

/* With the local slots.  Cannot overflow, since ncpus was checked. */
static uint64_t total_slots(const struct pkmap_config *window)
{
	return window->nslots + local_slots_per_cpu(window) * window->ncpus;
}

/*
 * At most, each slot and each guard page is a mapping, the space before the
 * first slot is another, and so is each of the three pages behind the last
 * slot.
 */
static int64_t max_mappings(const struct pkmap_config *window)
{
	return (int64_t)(total_slots(window) << window->guard) + 4;
}

/*
 * Reserves the slots, the first aligned to the size of a page, and behind them
 * three of the system's pages, of which the second is the spare.  With guard
 * pages, there is one before the first slot too.
 */
static int reserve_slots(struct pkmap_posix *p,
			 const struct pkmap_config *window)
{
	size_t page_size = (size_t)1 << p->page_shift;
	size_t before = window->guard ? 2 * page_size : page_size;
	size_t bytes;
	int err;

	p->nslots = window->nslots;
	p->slot_shift = slot_shift(window);
	p->mappings = max_mappings(window);
	p->spare_bytes = (size_t)sysconf(_SC_PAGESIZE);
	if (__builtin_mul_overflow(total_slots(window) << window->guard,
				   page_size, &bytes) ||
	    __builtin_add_overflow(bytes, before, &bytes) ||
	    __builtin_add_overflow(bytes, 3 * p->spare_bytes, &bytes))
		return pkmap_posix_invalid();

	err = pkmap_posix_reserve(p, bytes);
	if (err)
		return err;
	p->base = (char *)p->reserved + before - page_size +
		  (-(uintptr_t)p->reserved & (page_size - 1));
	p->spare = (char *)p->reserved + bytes - 2 * p->spare_bytes;
	return pkmap_posix_make_spare(p);
}

static int make_window(struct pkmap_posix *p,
		       const struct pkmap_posix_config *config)
{
	struct pkmap_config window = window_config(p, config);
	int err;

	window.port = p;
	window.npages = p->npages;
	err = allocate_cpus(p, window.ncpus);
	if (err)
		return err;
	err = reserve_slots(p, &window);
	if (err)
		return err;
	window.base = p->base;
	window.local_base = p->base + ((size_t)p->nslots << p->slot_shift);
	err = pkmap_posix_allocate(pkmap_size(&window), &p->win_mem);
	if (err)
		return err;
	p->stale = allocate_zeroed(p->nslots, sizeof(*p->stale));
	if (!p->stale)
		return PKMAP_ENOMEM;
	if (pkmap_init(p->win_mem, &window, &p->win))
		return pkmap_posix_invalid();
	return pkmap_posix_dma_make(p, window.dma_slots,
				    config->tracker_entries);
}

/* Also for a port that is only partly made.  Keeps errno. */
static void free_port(struct pkmap_posix *p)
{
	int saved = errno;

	if (p->reserved)
		pkmap_posix_unreserve(p);
	if (p->fd >= 0 && !p->lent)
		close(p->fd);
	pthread_mutex_destroy(&p->lock);
	free(p->win_mem);
	free(p->stale);
	free(p->dma_mem);
	free(p->threads);
	free(p->cpus);
	free(p);
	errno = saved;
}

static int open_port(const struct pkmap_posix_config *config,
		     struct pkmap_posix **port)
{
	struct pkmap_posix *p = malloc(sizeof(*p));
	int err;

	if (!p)
		return PKMAP_ENOMEM;
	*p = (struct pkmap_posix){
		.fd = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.strict = config->strict || ALWAYS_STRICT,
		.report = config->report,
		.dma_report = config->dma_report,
		.report_arg = config->report_arg,
	};

	err = set_page_size(p, config->page_size);
	if (err)
		goto fail;
	err = config->fd == -1 ? open_memfd(p, config->npages) :
				 open_file(p, config);
	if (err)
		goto fail;
	err = make_window(p, config);
	if (err)
		goto fail;
	err = probe_mmap(p, config->read_only);
	if (err)
		goto fail;
	err = pkmap_posix_list_add(p);
	if (err)
		goto fail;

	*port = p;
	return 0;

fail:
	free_port(p);
	return err;
}

/*
 * Open, close, sync and the counting of mappings call functions of the C
 * library that are cancellation points, or may be.  A thread cancelled there
 * would leave a file open or a window half made.  Keeps errno.
 */
static int disable_cancel(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static void restore_cancel(int state)
{
	pthread_setcancelstate(state, NULL);
}

int pkmap_posix_open(const struct pkmap_posix_config *config,
		     struct pkmap_posix **port)
{
	int cancel = disable_cancel();
	int err = open_port(config, port);

	restore_cancel(cancel);
	return err;
}

int pkmap_posix_close(struct pkmap_posix *port)
{
	int cancel;
	int err = pkmap_fini(port->win);

	if (err)
		return err;
	cancel = disable_cancel();
	err = pkmap_posix_unreserve(port);
	if (!err) {
		pkmap_posix_list_remove(port);
		free_port(port);
	}
	restore_cancel(cancel);
	return err;
}

uint32_t pkmap_posix_max_slots(const struct pkmap_posix_config *config)
{
	struct pkmap_posix p = { 0 };
	struct pkmap_config window;
	int64_t left;
	int cancel;

	if (set_page_size(&p, config->page_size) || !ncpus_valid(config->ncpus))
		return 0;
	window = window_config(&p, config);
	window.nslots = 0;
	cancel = disable_cancel();
	left = pkmap_posix_list_mappings_left();
	restore_cancel(cancel);
	left -= max_mappings(&window) + ALLOCATION_MAPPINGS;
	if (left < 0)
		return 0;
	left >>= config->guard;
	return left < MAX_SLOTS ? (uint32_t)left : MAX_SLOTS;
}

struct pkmap_window *pkmap_posix_window(struct pkmap_posix *port)
{
	return port->win;
}

int pkmap_posix_fd(const struct pkmap_posix *port)
{
	return port->fd;
}

pkmap_pfn pkmap_posix_npages(const struct pkmap_posix *port)
{
	return port->npages;
}

size_t pkmap_posix_page_size(const struct pkmap_posix *port)
{
	return (size_t)1 << port->page_shift;
}

/*
 * On Linux a store through a shared mapping marks its page dirty when it
 * retires, or at the latest when the page is unmapped.  So fdatasync() writes
 * it, whether the page is still mapped or not, and no msync() is needed.
 */
int pkmap_posix_sync(struct pkmap_posix *port)
{
	int cancel = disable_cancel();
	int saved = errno;
	int err = 0;

	while (!err && fdatasync(port->fd) < 0) {
		if (errno != EINTR)
			err = PKMAP_EIO;
		else
			errno = saved;
	}
	restore_cancel(cancel);
	return err;
}
