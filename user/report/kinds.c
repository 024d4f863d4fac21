/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/kinds.h"

#include <stddef.h>
#include <string.h>
#include <syslog.h>

#include "util/cleanup.h"

#define LOG    MW_TOLD_LOG
#define ALWAYS MW_TOLD_ALWAYS
#define USAGE  MW_TOLD_USAGE
#define GROWTH MW_TOLD_GROWTH
#define PID    MW_TOLD_PROCESS

/*
 * A message id is random (systemd-id128 new) and stays for ever: people filter by it. The first row is what has no kind
 * of its own.
 */
/* clang-format off */
static const struct mw_told_kind kinds[] = {
	{"daemon", "d0ebf82529fc40729ffd1d4eec8d6a3a", LOG_INFO, LOG, "The guard says something of itself"},
	{"suppressed", "9c11aee108584bbeb36daf03e1f79f02", LOG_WARNING, LOG | ALWAYS, "Lines of the log were left out"},
	{"incident", "6dd02bfc04c643538a2ee03ef279799c", LOG_NOTICE, LOG | ALWAYS, "An incident was written"},
	{"died", "cf2492672ffa41d5a0e783917ed9eda7", LOG_WARNING, LOG | ALWAYS | USAGE | PID, "A worker died"},
	{"ended", "7d895fa6e8d649f19142162247fce113", LOG_INFO, LOG | PID, "A worker ended"},
	{"started", "1f97e67575074f648560f989daf3813b", LOG_INFO, LOG | PID, "A worker started"},
	{"abandoned", "ebda4de77e224a81bad9808967b50590", LOG_WARNING, LOG, "A worker's place was given up"},
	{"matched", "580a01d83c614ee1b8509cffbec9ed3c", LOG_INFO, LOG | PID, "A rule brought a worker under guard"},
	{"attached", "b8fcc22c36d34401871102f88ac72ddd", LOG_INFO, LOG | PID, "A worker was attached"},
	{"moved", "9599a3a90d92409bafcb3193765a1dfa", LOG_INFO, LOG | PID, "Processes were moved under guard"},
	{"detached", "a68142f5be924e2a81fc5781609473cc", LOG_INFO, LOG, "A worker is not guarded any more"},
	{"memory-high", "98ce50cf2fed45fe992a0a09b6ebc20a", LOG_WARNING, LOG | USAGE | GROWTH, "A worker is near its limit"},
	{"memory-normal", "2369129e000a47ee95c3fc4cb098eaf1", LOG_INFO, LOG | USAGE, "A worker is below its threshold again"},
	{"bin-limit", "0a51f7aedb5f4c93a13c46058650c100", LOG_WARNING, LOG | USAGE, "A worker's shared, socket and kernel memory is over max_bin_heap"},
	{"growing", "e1970e59bc4947e3a5eb2864d389917f", LOG_WARNING, LOG | USAGE | GROWTH, "A worker grows"},
	{"suspect", "e9f184b2d7a24c56a3be954f6da546de", LOG_WARNING, LOG | USAGE | GROWTH, "A worker may leak"},
	{"leak", "cf9bbacc64a4496bbe2a654366202597", LOG_WARNING, LOG | ALWAYS | USAGE | GROWTH, "A worker leaks"},
	{"steady", "a65f6a4efddd48529c780cebaed7bc38", LOG_INFO, LOG | USAGE, "A worker does not grow any more"},
	{"leak-site", "599f8c33093742f29836f989ffa9fbbb", LOG_WARNING, LOG | USAGE | GROWTH, "The code a leak comes from is known"},
	{"look-hangs", "4c32bd847b4d4d83866d439a8d64c68c", LOG_WARNING, LOG | PID, "A look into a worker's memory hangs"},
	{"heap-refused", "2bc1f05ae8f345c2b7f005b3ae54d182", LOG_WARNING, LOG | PID, "What a heap sampler left cannot be used"},
	{"watched", "2bfa127597194309b5736270084dd161", LOG_INFO, LOG | PID, "A worker is watched object by object"},
	{"unwatched", "80d6a23be7284461afb74808ecd6162c", LOG_NOTICE, LOG | PID, "A worker cannot be watched object by object"},
	{"watch-shed", "9d7994961dc9430aa60c266eb4edb380", LOG_NOTICE, LOG | PID, "A worker is watched less"},
	{"frequent-reclaim", "aa9b39727041494fbe6e2efb62674a44", LOG_WARNING, LOG | USAGE, "A worker is reclaimed often"},
	{"reclaim-normal", "162139b2e4ac49e68cf8170319947fdd", LOG_INFO, LOG | USAGE, "A worker is not reclaimed often any more"},
	{"pause", "a357c10ac10d4e0189284c8323701799", LOG_NOTICE, LOG | USAGE, "A worker was stalled for memory"},
	{"paced", "6de29aac63be444e913ffc090e583bf8", LOG_INFO, LOG | USAGE, "A worker is reclaimed ahead of"},
	{"pace-over", "2f1df5e85dae4f1d832d2a9d9117c323", LOG_INFO, LOG | USAGE, "A worker is not reclaimed ahead of any more"},
	{"pace-held", "9ef68995b5be4a08900fca84f21e8452", LOG_INFO, LOG | USAGE, "Reclaim ahead of a worker holds back"},
	{"lifted", "239b1741b5864262b6fc4a23c8bbe66f", LOG_NOTICE, LOG | ALWAYS | USAGE, "A memory.high was lifted"},
	{"restored", "2241daf2c6ae4b1b9a164d2ba37c6287", LOG_INFO, LOG | USAGE, "A memory.high is back"},
	{"frozen", "097c6a32ef7c44d9ab128b311f018278", LOG_NOTICE, LOG | ALWAYS | USAGE, "A worker was frozen by the guard"},
	{"thawed", "73deda70037c41ed85556685f26aa754", LOG_NOTICE, LOG | ALWAYS | USAGE, "A worker was thawed by the guard"},
	{"not-frozen", "781e9696700a41e98faea5973832197b", LOG_NOTICE, LOG | USAGE, "A worker could not be frozen"},
	{"freeze", "474f738b456b45eea39f83c10c1894f9", LOG_NOTICE, LOG | ALWAYS | USAGE, "A worker was frozen because somebody asked"},
	{"thaw", "f933e7ba04c7486f855dbf4c32191c56", LOG_NOTICE, LOG | ALWAYS | USAGE, "A worker was thawed because somebody asked"},
	{"hibernate", "e9cd013d087e4cf9b06215580c0fcf16", LOG_NOTICE, LOG | ALWAYS | USAGE, "An idle worker was reclaimed"},
	{"hibernate-recommended", "c3254007e00346998624eb868af4d66e", LOG_NOTICE, LOG | USAGE, "A worker is idle and could be reclaimed"},
	{"kill", "08f753e74240419c809090e9d662cedc", LOG_WARNING, LOG | ALWAYS | USAGE | PID, "A worker is killed"},
	{"reclaim-bin", "7093b63ddf3243308166195359032730", LOG_NOTICE, LOG | ALWAYS | USAGE, "A worker's bin memory was reclaimed"},
	{"limit-changed", "a18424a445c74a8d951e70c8f3c6f66e", LOG_WARNING, LOG | PID, "Somebody else changed a worker's limit"},
	{"limits-met", "f7ea6562ebb140e89ec6d5d51443d864", LOG_NOTICE, LOG | USAGE, "A worker's limits are in force"},
	{"limits-failed", "d2174a8c7c8948768b6e7fa32d128c2f", LOG_ERR, LOG | ALWAYS | USAGE, "A worker's limits are not in force"},
	{"told", "ffb52345191e4729ad941a1a6f12c331", LOG_INFO, LOG | USAGE, "A worker was told to free memory"},
	/* What the kernel side tells, and levels: for who follows events, never in the log. */
	{"level", NULL, LOG_DEBUG, 0, "a worker's level rose or fell"},
	{"fork", NULL, LOG_DEBUG, 0, "a process of a worker forked"},
	{"exec", NULL, LOG_DEBUG, 0, "a process of a worker began a program"},
	{"exit", NULL, LOG_DEBUG, 0, "a process of a worker ended"},
	{"attach", NULL, LOG_DEBUG, 0, "a process came into a worker's cgroup"},
	{"mkdir", NULL, LOG_DEBUG, 0, "a cgroup was made"},
	{"release", NULL, LOG_DEBUG, 0, "a cgroup is empty or gone"},
	{"near-high", NULL, LOG_DEBUG, 0, "a worker came near memory.high"},
	{"throttle", NULL, LOG_DEBUG, 0, "a thread is about to sleep over memory.high"},
	{"oom", NULL, LOG_DEBUG, 0, "the kernel killed a process for memory"},
	{"limit", NULL, LOG_DEBUG, 0, "somebody wrote a limit"},
	{"newcomer", NULL, LOG_DEBUG, 0, "a process that a rule may want"},
};
/* clang-format on */

const struct mw_told_kind *mw_told_at(size_t i)
{
	return i < ARRAY_SIZE(kinds) ? &kinds[i] : NULL;
}

const struct mw_told_kind *mw_told_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

const struct mw_told_kind *mw_told_of(const char *name)
{
	const struct mw_told_kind *k = mw_told_find(name);

	return k ? k : &kinds[0];
}
