# SPDX-License-Identifier: GPL-2.0-or-later
#
# Draws rotation-stalls.svg from rotation-stalls.dat: in this directory,
#
#	gnuplot rotation-stalls.gp
#
# The data are what kselftest/rotate_stalls_nobody_long prints: a line per 50 ms
# in which a write ended, "<what ran> <second> <longest write, ms>"; here with
# the argument 64, in a guest under icount: a second is 10^9 instructions.

set terminal svg size 720,400 font "sans-serif,13" background "white"
set output "rotation-stalls.svg"
set title "1000 direct writes of 4 KiB a second, all over 64 MiB, while its key is changed"
set xlabel "seconds"
set ylabel "longest write in 50 ms, milliseconds"
set logscale y
set yrange [0.02:50000]
set ytics ("0.1" 0.1, "1" 1, "10" 10, "100" 100, "1 000" 1000, "10 000" 10000)
set grid ytics lc rgb "#dddddd"
set key top right
of(name) = sprintf("< sed -n 's/^%s //p' rotation-stalls.dat", name)
plot of("reencrypt-checksum") using 1:2 with linespoints pt 7 ps 0.4 lc rgb "#c0392b" \
		title "cryptsetup reencrypt, checksum (its default)", \
	of("reencrypt-journal") using 1:2 with linespoints pt 7 ps 0.4 lc rgb "#e59866" \
		title "cryptsetup reencrypt, journal", \
	of("rotation") using 1:2 with linespoints pt 7 ps 0.4 lc rgb "#1f618d" \
		title "dm-svcenc: rotate"
