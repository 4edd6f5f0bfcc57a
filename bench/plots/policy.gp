# SPDX-License-Identifier: MIT
load "bench/plots/common.gp"
set output dir."/policy.png"
set title "Misses of the two replacement policies, 512 slots"
set xlabel "working set, in windows (log)"
set ylabel "maps that miss, of 1,000"
set logscale x
set xtics (0.5, 2, 10, 100)
set xrange [0.4:130]
set yrange [0:1050]
set key bottom right
z = dir."/policy-zipf.dat"
u = dir."/policy-uniform.dat"
plot z index "pkmap" using 1:2 with linespoints ls 1 title "pkmap (CLOCK), Zipf 0.99", \
     z index "linux" using 1:2 with linespoints ls 2 title "linux (all idle, at the wrap), Zipf 0.99", \
     u index "pkmap" using 1:2 with linespoints ls 1 pt 6 dt 3 title "pkmap, uniform", \
     u index "linux" using 1:2 with linespoints ls 2 pt 4 dt 3 title "linux, uniform"
