// Command curfew stops EMQX Platform deployments when nobody needs them and
// starts them again before somebody does.
//
// It is the front door: it reads flags, opens files and sockets, ties the rooms
// of the module together and says how it ended. It decides nothing about
// policies, quotas or calls. What is wanted is a question to package policy, what
// to do next one to package scheduler, and `run`, `plan`, `check` and `simulate`
// ask the same two.
//
// Each subcommand has a file of its own. All of them keep to this: data goes to
// stdout and talk to stderr; colour and progress are for terminals, and never
// under NO_COLOR; the exit code is 0 where all went well, 1 where it did not and
// 2 where the command line makes no sense (`diff` answers as diff(1) does: 0, 1, or
// 2 for any trouble); an error is one sentence with the next step, never a stack
// trace. `check`, `plan`, `explain`, `diff`, `next` and `simulate` need no key and
// touch no ledger.
//
//	$ curfew check -c curfew.yaml && curfew plan -c curfew.yaml --days 2
//	$ curfew run -c curfew.yaml
//
// Where to read: main.go and root.go are the command line itself; daemon.go is
// the life of `run` from its first socket to its last commit; settings.go and
// reload.go are the file coming into force, selection.go whom it concerns and
// examine.go what is to be expected of it; caller.go turns the scheduler's calls
// into the client's and clock.go reads the only two clocks there are.
package main
