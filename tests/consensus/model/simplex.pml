/* SPDX-License-Identifier: Apache-2.0
 * Weighted simplex for spin, small but exhaustive: three honest validators and one villain, two views, and
 * any order of events. Messages never expire and are never lost to the set of all that was said, so every
 * honest step may use any subset that it has not looked at yet: asynchrony is the choice of the moment.
 *
 * Weights 3 2 2 for the honest, 3 for the villain, 10 in all: a quorum is 7. The villain says everything:
 * its weight counts for every ballot. -DQUORUM=6 lowers the quorum, and agreement must fall.
 *
 * View 1 has blocks A and B (a split leader); view 2 proposes either on top of what view 1 ended with:
 * block X extends A, block Y extends B, block Z skips view 1 and needs its give-up quorum.
 */
#ifndef QUORUM
#define QUORUM 7
#endif
#define VILLAIN 3
#define HONEST 3

byte weight[HONEST];

/* What honest validators said, as weight: votes, finishes and give-ups by view and block. */
byte vote_a, vote_b, vote_x, vote_y, vote_z;
byte finish_a, finish_b, finish_x, finish_y, finish_z;
byte quit_1;

#define HAS(sum) ((sum) + VILLAIN >= QUORUM)

#define FINAL_A HAS(finish_a)
#define FINAL_B HAS(finish_b)
#define FINAL_X HAS(finish_x)
#define FINAL_Y HAS(finish_y)
#define FINAL_Z HAS(finish_z)

/* X stands on A, Y on B, Z on neither. */
#define FORK ((FINAL_A && (FINAL_B || FINAL_Y || FINAL_Z)) || (FINAL_B && (FINAL_X || FINAL_Z)) || \
              (FINAL_X && (FINAL_Y || FINAL_Z)) || (FINAL_Y && FINAL_Z))

active [HONEST] proctype validator()
{
    bool voted_1, voted_2, finished_1, quit;
    byte finished_2;
    byte w;
    d_step { weight[0] = 3; weight[1] = 2; weight[2] = 2; w = weight[_pid]; }
    do
    /* view 1: one vote, for either block of the split leader */
    :: atomic { !voted_1 -> voted_1 = true; if :: vote_a = vote_a + w :: vote_b = vote_b + w fi }
    /* patience ends: give up, unless finished */
    :: atomic { !quit && !finished_1 -> quit = true; quit_1 = quit_1 + w }
    /* a quorum of votes: finish, unless given up */
    :: atomic { !finished_1 && !quit && HAS(vote_a) -> finished_1 = true; finish_a = finish_a + w }
    :: atomic { !finished_1 && !quit && HAS(vote_b) -> finished_1 = true; finish_b = finish_b + w }
    /* view 2: one vote, for a block whose reason holds */
    :: atomic { !voted_2 && HAS(vote_a) -> voted_2 = true; vote_x = vote_x + w }
    :: atomic { !voted_2 && HAS(vote_b) -> voted_2 = true; vote_y = vote_y + w }
    :: atomic { !voted_2 && HAS(quit_1) -> voted_2 = true; vote_z = vote_z + w }
    :: atomic { finished_2 == 0 && HAS(vote_x) -> finished_2 = 1; finish_x = finish_x + w }
    :: atomic { finished_2 == 0 && HAS(vote_y) -> finished_2 = 1; finish_y = finish_y + w }
    :: atomic { finished_2 == 0 && HAS(vote_z) -> finished_2 = 1; finish_z = finish_z + w }
    :: break
    od
}

never {
    do
    :: FORK -> break
    :: else
    od
}
