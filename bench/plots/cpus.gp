# SPDX-License-Identifier: MIT
load "bench/plots/common.gp"
set terminal pngcairo size 720,640 font "sans,10"
set output dir."/cpus.png"
set logscale x 2
set xtics (1, 2, 4, 8, 16, 32, 64, 128)
set xrange [0.9:140]
set key outside bottom center maxrows 2 width -2
set yrange [0:*]
n = dir."/cpus-new.dat"
m = dir."/cpus-mixed.dat"
s = dir."/cpus-same.dat"
z = dir."/cpus-zipf.dat"
a = dir."/cpus-miss.dat"
set multiplot layout 2,2 title "Cache lines that CPUs take from each other, for each pair of calls"
set title "pin, different pages"
plot n index "pkmap" using 1:2 with linespoints ls 1 title "pkmap, new", \
     m index "pkmap" using 1:2 with linespoints ls 1 pt 6 dt 3 title "pkmap, mixed", \
     n index "linux" using 1:2 with linespoints ls 2 title "linux", \
     n index "floor" using 1:2 with linespoints ls 3 title "floor"
set title "pin, one page"
plot s index "pkmap" using 1:2 with linespoints ls 1 title "pkmap", \
     s index "linux" using 1:2 with linespoints ls 2 title "linux", \
     s index "floor" using 1:2 with linespoints ls 3 title "floor"
set xlabel "CPUs (log)"
set title "map, Zipf 0.99 over 10 windows"
plot z index "pkmap" using 1:2 with linespoints ls 1 title "pkmap", \
     z index "linux" using 1:2 with linespoints ls 2 title "linux"
set title "map that misses"
plot a index "pkmap" using 1:2 with linespoints ls 1 title "pkmap", \
     a index "linux" using 1:2 with linespoints ls 2 title "linux"
unset multiplot
