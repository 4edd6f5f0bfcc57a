# SPDX-License-Identifier: MIT
# What the plots have in common.  "dir" is the directory of the data and of the
# pictures: gnuplot -e "dir='build/bench/report'" bench/plots/threads.gp
set terminal pngcairo size 720,480 font "sans,11"
set grid lc rgb "#dddddd"
set key top left
set border 3
set tics nomirror
set style line 1 lc rgb "#1b6ca8" lw 2 pt 7 ps 1
set style line 2 lc rgb "#c0392b" lw 2 pt 5 ps 1
set style line 3 lc rgb "#888888" lw 2 pt 9 ps 1 dt 2
