# SPDX-License-Identifier: MIT
load "bench/plots/common.gp"
set output dir."/threads.png"
set title "A pin and its unmap, all threads together"
set xlabel "threads"
set ylabel "ns an operation (log)"
set logscale y
set xtics 1
set xrange [0.8:*]
set key outside bottom center maxrows 4 width -2
d = dir."/threads-different.dat"
s = dir."/threads-same.dat"
m = dir."/threads-mixed.dat"
plot d index "pkmap" using 1:2:3:4 with yerrorlines ls 1 title "pkmap, different pages", \
     d index "linux" using 1:2:3:4 with yerrorlines ls 2 title "linux, different pages", \
     d index "floor" using 1:2:3:4 with yerrorlines ls 3 title "floor, different words", \
     m index "pkmap" using 1:2:3:4 with yerrorlines ls 1 dt 3 title "pkmap, mixed slots", \
     s index "pkmap" using 1:2:3:4 with yerrorlines ls 1 pt 6 title "pkmap, one page", \
     s index "linux" using 1:2:3:4 with yerrorlines ls 2 pt 4 title "linux, one page", \
     s index "floor" using 1:2:3:4 with yerrorlines ls 3 pt 8 title "floor, one word"
