# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# memweir: `make help` lists what there is.
# Two commands do everything on a fresh Debian 12: `make demo` and `make test`.

B       := .build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
ARCH    := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')
VERSION := $(shell cat scripts/version)
MAKEFLAGS += --no-builtin-rules
# What is built below a goal is built with all processors, unless -j says otherwise.
JOBS     = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))
comma   := ,
Q       := $(if $(V),,@)# V=1 shows the commands

# SANITIZE=1 builds with ASan and UBSan, into a tree of its own.
ifeq ($(SANITIZE),1)
B       := .build/asan
OPT     := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDOPT   := -fsanitize=address,undefined
CLI_PIE := -pie
else ifeq ($(SANITIZE),thread)
# SANITIZE=thread: the library alone, with TSan (make SANITIZE=thread lib-tests).
B       := .build/tsan
OPT     := -O1 -fno-omit-frame-pointer -fsanitize=thread
LDOPT   := -fsanitize=thread
CLI_PIE := -pie
else
OPT     := -O2 -D_FORTIFY_SOURCE=2
LDOPT   :=
# The command line stands in front of every worker: without the dynamic linker it starts in half the time.
# CLI_PIE=-pie links it like the rest, where there are no static libraries.
CLI_PIE ?= -static-pie
endif

CFLAGS  ?= -g
MWFLAGS  = -std=gnu17 $(OPT) -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
           -Wno-missing-field-initializers -Werror -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection -fvisibility=hidden \
           -D_GNU_SOURCE -DMW_VERSION='"$(VERSION)"' -DMW_LIBEXEC='"$(PREFIX)/libexec/memweir"' \
           -Iinclude -Iuser -I$(B)/bpf -MMD -MP
LDFLAGS ?=
MWLINK   = $(LDOPT) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
MWLD     = -pie $(MWLINK)
DAEMON_LIBS = -lcgroup -lbpf -lsystemd -lmicrohttpd -ljson-c -linih -lz -lpthread -lm
LIB_LIBS    = -lzstd -lyaml -lpthread -lm
OTLP_LIBS   = -lcurl -ljson-c -lz -lm
CLI_LIBS    = -lncursesw -ltinfo -lzstd -lyaml -ljson-c -linih -lz -lpthread -lm
SYMBOLS_LIBS = -ldw -lelf -llzma -lbz2 -lz -liberty -ljson-c
BPFFLAGS = -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_$(ARCH) -Iinclude -Ivmlinux -Ibpf -Wall -Wextra -Werror -MMD -MP

LIB_SHARES := user/core/cgroup.c user/core/cgroup_reclaim.c user/core/cgroup_sample.c user/core/class_builtin.c user/core/connections.c user/core/figures.c user/core/level.c \
              user/core/proc.c user/core/profile.c user/core/verdict_check.c user/http/client.c user/util/error.c user/util/http_reply.c \
              user/util/size.c

# What watches one process's objects is an object of its own: loaded while there is such a process.
BPF_APART  := bpf/objects.bpf.c
BPF_SRC    := $(filter-out $(BPF_APART),$(wildcard bpf/*.bpf.c))
# What reads ELF and DWARF, and what opens files for it, is in memweir-symbols alone: the rest asks.
SYMBOLS_SRC := $(addprefix user/symbols/,debug.c demangle.c fetch.c find.c image.c location.c object.c open.c open_in.c resolve.c rules.c \
              symtab.c units.c unwind.c wanted.c)
SHARED_SRC := $(wildcard user/util/*.c user/core/*.c user/leak/*.c user/report/*.c) user/otlp/wanted.c \
              $(filter-out %/main.c,$(wildcard user/containers/*.c)) \
              $(filter-out %/main.c $(SYMBOLS_SRC),$(wildcard user/symbols/*.c))
DAEMON_SRC := $(wildcard user/daemon/*.c) $(filter-out user/http/client.c,$(wildcard user/http/*.c))
# The page at /: part of the daemon, as read-only data.
PAGE       := $(wildcard $(addprefix user/http/page/*.,html css js svg)) $(addprefix user/http/page/vendor/,uPlot.min.js uPlot.css LICENSE)
PAGE_C     := $(B)/user/http/page_files.c
# What talks to a collector is in memweir-otlp alone; wanted.c tells the daemon whether there is one.
OTLP_SRC   := $(filter-out user/otlp/wanted.c,$(wildcard user/otlp/*.c))
HEAP_SRC   := $(wildcard user/heap/*.c)
# libmemweir: all of user/lib, and of the rest what it shares with the guard.
LIB_SRC    := $(wildcard user/lib/*.c) $(LIB_SHARES)
EXAMPLE_SRC := $(wildcard user/lib/examples/*.c)
CLI_SRC    := $(wildcard user/cli/*.c) user/http/client.c
UNIT_SRC   := $(wildcard tests/unit/*.c tests/unit/*/*.c)
VMTEST_SRC := $(wildcard tests/vm/*_test.c)
WORKER_SRC := $(filter-out %/heap_liar.c,$(wildcard tests/workers/*.c tests/workers/leaks/*.c))
WORKER_CXX := $(wildcard tests/workers/*.cc tests/workers/leaks/*.cc)
FUZZ_SRC   := $(wildcard tests/fuzz/*.c)
BENCH_SRC  := $(wildcard tests/bench/*.c)

BPF_OBJ    := $(BPF_SRC:bpf/%.bpf.c=$(B)/bpf/%.bpf.o)
SKEL       := $(B)/bpf/memweir.skel.h $(BPF_APART:bpf/%.bpf.c=$(B)/bpf/%.skel.h)
obj         = $(patsubst %.c,$(B)/%.o,$(1))
SHARED_LIB := $(B)/libshared.a
DAEMON_LIB := $(B)/libdaemon.a
SYMBOLS_LIB := $(B)/libsymbols.a
OTLP_LIB   := $(B)/libotlp.a
LIB_INSIDE := $(B)/liblib.a
LIB_SO     := $(B)/libmemweir.so
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(B)/%)
UNIT_BIN   := $(UNIT_SRC:%.c=$(B)/%)
VMTEST_BIN := $(VMTEST_SRC:%.c=$(B)/%)
WORKER_BIN := $(WORKER_SRC:%.c=$(B)/%) $(B)/tests/workers/objects_static $(B)/tests/workers/heap_liar.so $(if $(shell command -v $(CXX)),$(WORKER_CXX:%.cc=$(B)/%))
# The same programs with an allocator of others: as it is used by C, by C++, by its own names; and as part of the program.
found       = $(if $(findstring /,$(shell $(CC) -print-file-name=$(2))),$(1))
ALLOCATORS := $(if $(shell command -v $(CXX)),$(call found,jemalloc,libjemalloc.so) $(call found,tcmalloc,libtcmalloc_minimal.so.4))
LIB_jemalloc := -ljemalloc
LIB_tcmalloc := -l:libtcmalloc_minimal.so.4
WORKER_BIN += $(foreach a,$(ALLOCATORS),$(addprefix $(B)/tests/workers/heap_,$(a) $(a)_cxx doors_$(a))) \
              $(if $(filter jemalloc,$(ALLOCATORS)),$(B)/tests/workers/heap_doors_inside)
FUZZ_BIN   := $(FUZZ_SRC:%.c=$(B)/%)
BENCH_BIN  := $(BENCH_SRC:%.c=$(B)/%)

.PHONY: help deps build demo test test-more check bench bench-pauses bench-leaks bench-connections asan format install uninstall clean programs tests unit-tests lib-tests
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | column -t -s '#'

deps: ## install what the build, the tests and the demo need (apt, npm; root)
	@scripts/deps

build: ## compile everything into .build/
	@scripts/deps build
	@+$(MAKE) --no-print-directory $(JOBS) programs

RUNTIME := $(B)/runtime/node.js $(B)/runtime/python/sitecustomize.py

programs: $(RUNTIME) $(B)/memweir $(B)/memweir-daemon $(B)/memweir-container $(B)/memweir-symbols $(B)/memweir-otlp \
          $(B)/libmemweir-heap.so \
          $(LIB_SO) $(B)/libmemweir.a $(EXAMPLE_BIN)

# The library's own tests, built alone.
lib-tests: $(filter $(B)/tests/unit/lib/%,$(UNIT_BIN))

unit-tests: $(UNIT_BIN) $(FUZZ_BIN) $(WORKER_BIN)

tests: programs $(UNIT_BIN) $(VMTEST_BIN) $(WORKER_BIN) $(BENCH_BIN)

demo: ## the main job on real workers, here or in a VM; about three minutes
	@scripts/deps build vm demo
	@+$(MAKE) --no-print-directory $(JOBS) programs tests
	@scripts/demo

test: ## all tests: checks, unit, native, and the VM on every kernel of the list
	@scripts/deps
	@+$(MAKE) --no-print-directory $(JOBS) programs tests
	@scripts/test

test-more: ## longer, and not part of test: podman of a normal user, machines of systemd-nspawn (VM)
	@scripts/deps build test vm containers more demo
	@+$(MAKE) --no-print-directory $(JOBS) programs tests
	@scripts/test --more

check: ## format, clang-tidy, sparse, file sizes, include rules, man pages
	@scripts/deps build check
	@+$(MAKE) --no-print-directory $(JOBS) $(SKEL) $(B)/libmemweir.so $(B)/libmemweir-heap.so
	@scripts/check

bench: ## measured costs, as ratios (VM and native)
	@scripts/deps build vm
	@+$(MAKE) --no-print-directory $(JOBS) programs tests
	@scripts/bench

bench-pauses: ## stalls for memory: no guard, systemd, systemd-oomd, memweir; one table a kernel (VM)
	@scripts/deps build vm bench
	@+$(MAKE) --no-print-directory $(JOBS) programs tests
	@scripts/vm --all --systemd --zram 1G -- tests/bench/pauses

bench-leaks: ## who calls leaks rightly: over made-up hours, then over 170 running programs; LEAKS='--seeds 1' for fewer (native)
	@scripts/deps build leaks
	@+$(MAKE) --no-print-directory $(JOBS) programs $(WORKER_BIN) $(B)/tests/bench/leaks $(B)/tests/bench/leak_rules
	@$(B)/tests/bench/leaks 100
	@tests/bench/leak_runs $(LEAKS)

bench-connections: ## 15,000 connections and 1,000,000 requests in a class of 3 GB; a buffer while in flight against one each (native, VM)
	@scripts/deps build vm
	@+$(MAKE) --no-print-directory $(JOBS) programs $(B)/tests/bench/connections_load
	@tests/bench/connections

asan: ## unit tests with ASan and UBSan, then under valgrind
	@+$(MAKE) --no-print-directory $(JOBS) SANITIZE=1 programs tests
	@scripts/test --asan

format: ## clang-format the tree in place
	@git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '^vmlinux/' | xargs clang-format -i

install: programs ## install below PREFIX (DESTDIR honoured)
	@B=$(B) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) VERSION=$(VERSION) scripts/install

uninstall: ## remove what install put there
	@PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/install --remove

clean: ## remove .build/
	rm -rf .build

$(B)/memweir: $(call obj,$(CLI_SRC)) $(B)/libmemweir.a $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(CLI_PIE) $(MWLINK) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

$(B)/memweir-daemon: $(B)/user/daemon/main.o $(B)/user/http/client.o $(DAEMON_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

# Static like the command line: it is started for one question, and has nothing to load once its rights are gone.
$(B)/memweir-container: $(B)/user/containers/main.o $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(CLI_PIE) $(MWLINK) $(LDFLAGS) -o $@ $^ -ljson-c

# Into other people's programs: position-independent, nothing needed but libc (the unwinder is linked in), unwind tables of
# its own frames, no sanitizer in any tree.
HEAPFLAGS = -std=gnu17 -O2 $(filter -W%,$(MWFLAGS)) -fPIC -fno-builtin -ftls-model=initial-exec -fvisibility=hidden \
            -fexceptions -fasynchronous-unwind-tables -fcf-protection -D_GNU_SOURCE -Iinclude -Iuser -MMD -MP

$(B)/user/heap/%.o: user/heap/%.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(HEAPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libmemweir-heap.so: $(call obj,$(HEAP_SRC)) user/heap/heap.map
	@echo "  LD   $@"
	$(Q)$(CC) -shared -static-libgcc -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs,-Bsymbolic,--as-needed \
		-Wl,-soname,libmemweir-heap.so,--version-script=user/heap/heap.map $(LDFLAGS) -o $@ $(filter %.o,$^) -lgcc_eh

# libmemweir, into other people's programs too: shared, and as one object that shows only what the shared one shows.
$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(filter-out -fPIE,$(MWFLAGS)) -fPIC $(CFLAGS) -c -o $@ $<

$(LIB_INSIDE): $(LIB_SRC:%.c=$(B)/pic/%.o)
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ar rcs $@ $^

$(LIB_SO): $(LIB_SRC:%.c=$(B)/pic/%.o) user/lib/libmemweir.map
	@echo "  LD   $@"
	$(Q)$(CC) -shared $(LDOPT) -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete$(if $(LDOPT),,$(comma)-z$(comma)defs),--as-needed \
		-Wl,-soname,libmemweir.so.0,--version-script=user/lib/libmemweir.map $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_LIBS)
	$(Q)ln -sf $(@F) $@.0

$(B)/libmemweir.a: $(LIB_SRC:%.c=$(B)/pic/%.o)
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ld -r -o $(B)/libmemweir.o $^
	$(Q)objcopy --localize-hidden $(B)/libmemweir.o
	$(Q)ar rcs $@ $(B)/libmemweir.o

# Examples see what an installed program sees: the public headers and the library.
$(B)/user/lib/examples/%: user/lib/examples/%.c $(B)/libmemweir.a
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -std=gnu17 $(OPT) -Wall -Wextra -D_GNU_SOURCE -Iinclude $(CFLAGS) -MMD -MP $(LDOPT) $(LDFLAGS) -o $@ $< $(B)/libmemweir.a $(LIB_LIBS) $(EXAMPLE_LIBS)

# One of them is several files: its main, and a folder by its name.
CONNECTIONS_SRC := user/lib/examples/connections.c $(wildcard user/lib/examples/connections/*.c)
$(B)/user/lib/examples/connections: $(CONNECTIONS_SRC) $(wildcard user/lib/examples/connections/*.h include/memweir/*.h) $(B)/libmemweir.a
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -std=gnu17 $(OPT) -Wall -Wextra -D_GNU_SOURCE -Iinclude $(CFLAGS) $(LDOPT) $(LDFLAGS) -o $@ $(CONNECTIONS_SRC) $(B)/libmemweir.a $(LIB_LIBS) $(EXAMPLE_LIBS)

# Read by other people's Node and Python, from where they are installed.
$(RUNTIME): $(B)/%: user/%
	@mkdir -p $(@D)
	$(Q)install -m 755 $< $@

$(B)/memweir-symbols: $(B)/user/symbols/main.o $(SYMBOLS_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(CLI_PIE) $(MWLINK) $(LDFLAGS) -o $@ $^ $(SYMBOLS_LIBS)

$(B)/memweir-otlp: $(B)/user/otlp/main.o $(OTLP_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(OTLP_LIBS)

$(SHARED_LIB): $(call obj,$(SHARED_SRC))
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ar rcs $@ $^

$(PAGE_C): $(PAGE) scripts/embed-page Makefile
	@mkdir -p $(@D)
	$(Q)scripts/embed-page $(PAGE) >$@

$(PAGE_C:.c=.o): $(PAGE_C)
	@echo "  CC   $@"
	$(Q)$(CC) $(MWFLAGS) $(CFLAGS) -c -o $@ $<

$(DAEMON_LIB): $(filter-out %/main.o,$(call obj,$(DAEMON_SRC))) $(PAGE_C:.c=.o)
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ar rcs $@ $^

$(SYMBOLS_LIB): $(call obj,$(SYMBOLS_SRC))
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ar rcs $@ $^

$(OTLP_LIB): $(filter-out %/main.o,$(call obj,$(OTLP_SRC)))
	@rm -f $@
	@echo "  AR   $@"
	$(Q)ar rcs $@ $^

$(B)/user/daemon/%.o: user/daemon/%.c $(SKEL)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(MWFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/tests/%.o: MWFLAGS += -Itests/unit

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(MWFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/tests/unit/lib/%: $(B)/tests/unit/lib/%.o $(LIB_INSIDE)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) -lcmocka

$(B)/tests/unit/symbols/%: $(B)/tests/unit/symbols/%.o $(SYMBOLS_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(SYMBOLS_LIBS) -lcmocka

$(B)/tests/unit/otlp/%: $(B)/tests/unit/otlp/%.o $(OTLP_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(OTLP_LIBS) -lcmocka

# What top knows and shows, without its terminal and its connection.
TOP_PURE := $(addprefix $(B)/user/cli/,$(addsuffix .o,field top_model top_documents top_order top_keys top_canvas top_graph top_table top_view top_worker))
$(B)/tests/unit/cli/top_%: $(B)/tests/unit/cli/top_%.o $(TOP_PURE) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ -ljson-c -linih -lz -lpthread -lm -lcmocka

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/user/http/client.o $(DAEMON_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) -lcmocka

$(B)/tests/vm/%_test: $(B)/tests/vm/%_test.o $(B)/user/http/client.o $(DAEMON_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) -lcmocka

$(B)/tests/bench/lib_%: $(B)/tests/bench/lib_%.o $(LIB_INSIDE)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) -ljson-c

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/user/http/client.o $(DAEMON_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

# Without libFuzzer: a main of their own mutates seeds, the same way each time.
$(B)/tests/fuzz/%.o: MWFLAGS += -DMW_FUZZ_MAIN

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

$(B)/tests/fuzz/lib_%: $(B)/tests/fuzz/lib_%.o $(LIB_INSIDE)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) -ljson-c

$(B)/tests/fuzz/otlp_fuzz: $(B)/tests/fuzz/otlp_fuzz.o $(OTLP_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(OTLP_LIBS)

$(B)/tests/fuzz/unwind_fuzz: $(B)/tests/fuzz/unwind_fuzz.o $(SYMBOLS_LIB) $(SHARED_LIB)
	@echo "  LD   $@"
	$(Q)$(CC) $(MWLD) $(LDFLAGS) -o $@ $^ $(SYMBOLS_LIBS)

# Workers stand for somebody else's programs: plain flags, none of our code.
$(B)/tests/workers/callers: WORKERFLAGS = -O2 -fomit-frame-pointer
$(B)/tests/workers/%: tests/workers/%.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(or $(WORKERFLAGS),-O1) -g -Wall -Wextra -o $@ $< -lpthread -lm

# One that uses libmemweir, as an installed program does.
$(B)/tests/workers/guarded: tests/workers/guarded.c $(B)/libmemweir.a
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -O1 -g -Wall -Wextra -D_GNU_SOURCE -Iinclude $(LDOPT) -o $@ $< $(B)/libmemweir.a $(LIB_LIBS)

# The allocator in the program itself, and no library.
$(B)/tests/workers/objects_static: tests/workers/objects.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -O1 -g -static -Wall -Wextra -o $@ $<

# One to be preloaded.
$(B)/tests/workers/heap_liar.so: tests/workers/heap_liar.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -O1 -g -Wall -Wextra -fno-builtin -shared -fPIC -o $@ $<

$(ALLOCATORS:%=$(B)/tests/workers/heap_%): $(B)/tests/workers/heap_%: tests/workers/heap.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -O1 -g -Wall -Wextra -o $@ $< -Wl,--no-as-needed $(LIB_$*) -lpthread -lm

$(ALLOCATORS:%=$(B)/tests/workers/heap_%_cxx): $(B)/tests/workers/heap_%_cxx: tests/workers/heap.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) -O1 -g -Wall -Wextra -o $@ $< -Wl,--no-as-needed $(LIB_$*) -lstdc++ -lpthread -lm

$(ALLOCATORS:%=$(B)/tests/workers/heap_doors_%): $(B)/tests/workers/heap_doors_%: tests/workers/heap_doors.cc
	@mkdir -p $(@D)
	@echo "  CXX  $@"
	$(Q)$(CXX) -std=c++17 -O1 -g -Wall -Wextra -o $@ $< -Wl,--no-as-needed $(LIB_$*)

$(B)/tests/workers/heap_doors_inside: tests/workers/heap_doors.cc
	@mkdir -p $(@D)
	@echo "  CXX  $@"
	$(Q)$(CXX) -std=c++17 -O1 -g -Wall -Wextra -o $@ $< -l:libjemalloc_pic.a -lpthread -ldl -lm

$(B)/tests/workers/%: tests/workers/%.cc
	@mkdir -p $(@D)
	@echo "  CXX  $@"
	$(Q)$(CXX) -O1 -g -Wall -Wextra -o $@ $< -lpthread -lm

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	@echo "  BPF  $@"
	$(Q)$(CLANG) $(BPFFLAGS) -c -o $@ $<

$(B)/bpf/memweir.bpf.o: $(BPF_OBJ)
	@echo "  GEN  $@"
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): $(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	@echo "  GEN  $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $* > $@

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
