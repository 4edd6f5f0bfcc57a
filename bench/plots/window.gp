# SPDX-License-Identifier: MIT
load "bench/plots/common.gp"
set output dir."/window.png"
set title "Cost against the size of the window, random pages"
set xlabel "slots (log)"
set ylabel "ns an operation"
set logscale x 2
set xtics (64, 512, 4096)
set xrange [50:5200]
set yrange [0:*]
p = dir."/window-pin.dat"
m = dir."/window-miss.dat"
plot p index "pkmap" using 1:2:3:4 with yerrorlines ls 1 title "pkmap, pin and unmap", \
     m index "pkmap" using 1:2:3:4 with yerrorlines ls 1 pt 6 dt 3 title "pkmap, map that misses, and unmap", \
     p index "linux" using 1:2:3:4 with yerrorlines ls 2 title "linux, pin and unmap", \
     m index "linux" using 1:2:3:4 with yerrorlines ls 2 pt 4 dt 3 title "linux, map that misses, and unmap"
