# SPDX-License-Identifier: MIT
# Takes no time for a step and says so.
$| = 1;
print "findlr 1\n";
while (<STDIN>) {
    last if /^stop/;
    print "findlr loss 0\n";
}
