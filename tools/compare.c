// SPDX-License-Identifier: MIT
#include "pump.h"
#include "stop.h"

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

/*
 * Reads on at @offset, holes as well: what a file system says of those is not
 * to be trusted here.  Returns how many bytes of both are the same; 0 where
 * both end.
 */
static ssize_t read_same(const struct pump_options *options, int in, int out,
			 off_t offset, char bytes[AT_ONCE],
			 struct failure *failure)
{
	static char copy[AT_ONCE];
	ssize_t n, m;

	n = pread(in, bytes, AT_ONCE, offset);
	if (n < 0)
		return fail(failure, errno, "cannot read %s", options->in);
	m = pread(out, copy, AT_ONCE, offset);
	if (m < 0)
		return fail(failure, errno, "cannot read %s", options->out);
	if (!n != !m || memcmp(bytes, copy, (size_t)(n < m ? n : m)))
		return fail(failure, 0,
			    "the copy differs from %s: it was changed "
			    "meanwhile, or data was lost",
			    options->in);
	return n < m ? n : m;
}

static int hash_same(const struct pump_options *options, int in, int out,
		     EVP_MD_CTX *context, struct progress *progress,
		     struct failure *failure)
{
	static char bytes[AT_ONCE];
	off_t done = 0;
	ssize_t n;

	while ((n = read_same(options, in, out, done, bytes, failure)) > 0) {
		if (stop_requested())
			return fail(failure, 0, "interrupted");
		if (!EVP_DigestUpdate(context, bytes, (size_t)n))
			return fail(failure, 0, "cannot compute SHA-256");
		done += n;
		show_progress(progress, options->in, done);
	}
	return n < 0 ? -1 : 0;
}

/* Without the first, for want of memory, libcrypto crashes in the others. */
static bool begin_hash(EVP_MD_CTX **context)
{
	if (!OSSL_LIB_CTX_get0_global_default())
		return false;
	*context = EVP_MD_CTX_new();
	return *context && EVP_DigestInit_ex(*context, EVP_sha256(), NULL);
}

int compare_files(const struct pump_options *options, int in, int out,
		  struct progress *progress, struct failure *failure,
		  char text[SHA256_TEXT])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = NULL;
	unsigned int len;
	int err;

	if (!begin_hash(&context)) {
		err = fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	err = hash_same(options, in, out, context, progress, failure);
	if (err)
		goto out;
	if (!EVP_DigestFinal_ex(context, hash, &len)) {
		err = fail(failure, 0, "cannot compute SHA-256");
		goto out;
	}
	for (unsigned int i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
out:
	EVP_MD_CTX_free(context);
	return err;
}
