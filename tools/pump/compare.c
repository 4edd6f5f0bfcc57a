// SPDX-License-Identifier: MIT
#include "holes.h"
#include "pump.h"
#include "tools/common/stop.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE (1 << 18)

static void show_progress(struct progress *progress, const char *path,
			  off_t done)
{
	char text[SIZE_TEXT];

	if (progress_due(progress))
		progress_show(progress, "comparing: %s of %s",
			      size_text(text, (double)done), path);
}

struct comparison {
	const struct pump_options *options;
	int in;
	int out;
	off_t size;
	struct progress *progress;
	struct failure *failure;
};

static off_t hole_of_both(const struct comparison *c, off_t offset)
{
	off_t in;
	off_t out;

	if (offset >= c->size)
		return 0;
	in = next_data(c->in, offset, c->size).begin;
	out = next_data(c->out, offset, c->size).begin;
	return (in < out ? in : out) - offset;
}

static ssize_t read_same(const struct comparison *c, off_t offset,
			 char bytes[AT_ONCE])
{
	static char copy[AT_ONCE];
	ssize_t n;
	ssize_t m;

	n = pread(c->in, bytes, AT_ONCE, offset);
	if (n < 0)
		return fail(c->failure, errno, "cannot read %s",
			    c->options->in);
	m = pread(c->out, copy, AT_ONCE, offset);
	if (m < 0)
		return fail(c->failure, errno, "cannot read %s",
			    c->options->out);
	if (!n != !m || memcmp(bytes, copy, (size_t)(n < m ? n : m)))
		return fail(c->failure, 0,
			    "the copy differs from %s: the file was changed "
			    "meanwhile, or data was lost",
			    c->options->in);
	return n < m ? n : m;
}

/* How many bytes from @offset on are the same, and which; 0 at both ends. */
static ssize_t get_same(const struct comparison *c, off_t offset,
			char bytes[AT_ONCE])
{
	off_t hole = hole_of_both(c, offset);
	size_t n = hole < AT_ONCE ? (size_t)hole : AT_ONCE;

	if (!hole)
		return read_same(c, offset, bytes);
	memset(bytes, 0, n);
	return (ssize_t)n;
}

static int hash_same(const struct comparison *c, EVP_MD_CTX *context)
{
	static char bytes[AT_ONCE];
	off_t done = 0;
	ssize_t n;

	while ((n = get_same(c, done, bytes)) > 0) {
		if (stop_requested())
			return fail(c->failure, 0, "interrupted");
		if (!EVP_DigestUpdate(context, bytes, (size_t)n))
			return fail(c->failure, 0, "cannot compute SHA-256");
		done += n;
		show_progress(c->progress, c->options->in, done);
	}
	return n < 0 ? -1 : 0;
}

/*
 * If there is no memory for the library's context, only this call reports it;
 * the others crash.
 */
static bool begin_hash(EVP_MD_CTX **context)
{
	if (!OSSL_LIB_CTX_get0_global_default())
		return false;
	*context = EVP_MD_CTX_new();
	return *context && EVP_DigestInit_ex(*context, EVP_sha256(), NULL);
}

int compare_files(const struct pump_options *options, int in, int out,
		  off_t size, struct progress *progress,
		  struct failure *failure, char text[SHA256_TEXT])
{
	const struct comparison c = {
		.options = options,
		.in = in,
		.out = out,
		.size = size,
		.progress = progress,
		.failure = failure,
	};
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = NULL;
	unsigned int len;
	unsigned int i;
	int err;

	if (!begin_hash(&context)) {
		err = fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	err = hash_same(&c, context);
	if (err)
		goto out;
	if (!EVP_DigestFinal_ex(context, hash, &len)) {
		err = fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	for (i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
out:
	EVP_MD_CTX_free(context);
	return err;
}
