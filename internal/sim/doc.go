// Package sim lives through days of a deployment's life in virtual time: the
// daemon's own Fleet, a ledger in memory and a simulated platform, on a host
// whose clocks, disk, network and supervisor can be made to fail.
package sim
