#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Linear regression by plain SGD, range-tested by: findlr run -- perl train.pl
# The protocol as it is, line by line; it cannot save (slots=0), so findlr starts it anew instead.
use strict;
use warnings;

$| = 1;    # every answer at once
srand($ENV{FINDLR_SEED} // 0);
my @rows = map { my $x = rand(4) - 2; [ $x, 3 * $x - 1 + rand() - 0.5 ] } 1 .. 200;
my ( $slope, $offset, $at ) = ( 0, 0, 0 );

print "findlr 1 groups=1 slots=0 validate=0\n";
while ( my $line = <STDIN> ) {
    my ( $request, $lr ) = split ' ', $line;
    last if $request eq 'stop';
    if ( $request ne 'step' ) {
        print "findlr error this script knows no $request\n";
        next;
    }
    my ( $loss, $g_slope, $g_offset ) = ( 0, 0, 0 );
    for ( 1 .. 16 ) {
        my ( $x, $y ) = @{ $rows[ $at++ % @rows ] };
        my $error = $slope * $x + $offset - $y;
        $loss     += $error**2 / 16;
        $g_slope  += 2 * $error * $x / 16;
        $g_offset += 2 * $error / 16;
    }
    $slope  -= $lr * $g_slope;
    $offset -= $lr * $g_offset;
    print "findlr loss $loss\n";
}
