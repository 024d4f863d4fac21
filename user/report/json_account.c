/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json.h"
#include "report/json_out.h"

static struct json_object *charged(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "bytes", a->charged);
	mw_json_u64(&o, "placed_bytes", a->charged_placed);
	return mw_json_end(&o);
}

static struct json_object *used(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "bytes", a->current);
	mw_json_u64(&o, "anon_bytes", a->anon);
	mw_json_u64(&o, "cache_bytes", a->cache);
	mw_json_u64(&o, "shmem_bytes", a->shmem);
	mw_json_u64(&o, "kernel_bytes", a->kernel);
	mw_json_u64(&o, "sock_bytes", a->sock);
	mw_json_u64(&o, "rest_bytes", mw_account_rest(a));
	mw_json_u64(&o, "swapped_bytes", a->swapped);
	mw_json_u64(&o, "came_back_bytes", a->came_back);
	return mw_json_end(&o);
}

static struct json_object *kernel(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "slab_bytes", a->slab);
	mw_json_u64(&o, "page_table_bytes", a->page_tables);
	mw_json_u64(&o, "stack_bytes", a->stacks);
	mw_json_u64(&o, "per_cpu_bytes", a->per_cpu);
	mw_json_u64(&o, "vmalloc_bytes", a->vmalloc);
	mw_json_u64(&o, "rest_bytes", mw_account_kernel_rest(a));
	return mw_json_end(&o);
}

static struct json_object *descriptors(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (int i = 0; i < MW_FILE_KIND_MAX; i++)
		mw_json_u64(&o, mw_file_kind_name((enum mw_file_kind)i), a->files.n[i]);
	mw_json_bool(&o, "more", a->files.more);
	return mw_json_end(&o);
}

static struct json_object *sampled(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "bytes", a->sampled);
	mw_json_u64(&o, "shown_bytes", a->sampled_shown);
	mw_json_u64(&o, "samples", a->samples);
	mw_json_u64(&o, "lost_bytes", a->lost);
	mw_json_u64(&o, "processes", a->n_processes);
	mw_json_u64(&o, "processes_silent", a->n_silent);
	mw_json_u64(&o, "processes_without", a->n_without);
	mw_json_u64(&o, "processes_refused", a->n_refused);
	mw_json_u64(&o, "without_bytes", a->without);
	return mw_json_end(&o);
}

struct json_object *mw_json_account(const struct mw_account *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	if (a->charged_known)
		mw_json_put(&o, "charged", charged(a));
	else
		mw_json_null(&o, "charged");
	if (a->used_known)
		mw_json_put(&o, "used", used(a));
	else
		mw_json_null(&o, "used");
	if (a->used_known)
		mw_json_put(&o, "kernel", kernel(a));
	else
		mw_json_null(&o, "kernel");
	if (a->files_known)
		mw_json_put(&o, "descriptors", descriptors(a));
	else
		mw_json_null(&o, "descriptors");
	if (a->sampled_known)
		mw_json_put(&o, "sampled", sampled(a));
	else
		mw_json_null(&o, "sampled");
	return mw_json_end(&o);
}
