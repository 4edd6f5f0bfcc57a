# SPDX-License-Identifier: MIT
load "bench/plots/common.gp"
set output dir."/latency.png"
set title "A pin while another thread maps pages and reclaims slots"
set xlabel "ns, a look at the clock included (log)"
set ylabel "part of the pins that take longer (log)"
set logscale xy
set format y "10^{%L}"
set key top right
set arrow from graph 0,first 1e-4 to graph 1,first 1e-4 nohead lc rgb "#aaaaaa" dt 3
set label "p99.99" at graph 0.01,first 1.6e-4 tc rgb "#777777"
f = dir."/latency.dat"
plot f index "pkmap" using 1:2 with steps ls 1 title "pkmap", \
     f index "linux" using 1:2 with steps ls 2 title "linux (the lock, fair)", \
     f index "floor" using 1:2 with steps ls 3 title "floor: nothing reclaimed"
