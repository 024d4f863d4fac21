# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Guilty, in Python: one line keeps, another one churns. leak.py [bytes a step] [ms between steps] [child]
import os
import sys
import time

kept = []
step = int(sys.argv[1]) if len(sys.argv) > 1 else 65536
pause = int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.05
if len(sys.argv) > 3 and os.fork():
    os.wait()


def remember_forever():
    kept.append(bytes(step))  # the line


def churn():
    return [str(i) for i in range(100)]


while True:
    remember_forever()
    churn()
    time.sleep(pause)
