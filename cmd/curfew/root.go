package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot returns the command line of curfew.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "curfew",
		Short: "Stop EMQX Platform deployments when nobody needs them, and start them in time",
		Long: `curfew stops EMQX Platform deployments when nobody needs them and starts them
again before somebody does. Policies are in one file; the smallest one is

  timezone: Europe/Berlin
  policies:
    - name: office-hours
      deployments: [w41b11c0]
      start: "0 8 * * MON-FRI"
      stop: "0 20 * * MON-FRI"`,
		Example: `  curfew check -c curfew.yaml             is the file right?
  curfew plan -c curfew.yaml --days 7     what will happen?
  curfew simulate -c curfew.yaml          how many calls, how many hours stopped?
  curfew run -c curfew.yaml               do it`,
		Version:       ownVersion(), // for those who try --version first
		SilenceUsage:  true,
		SilenceErrors: true, // run tells them, and knows the exit code

		DisableSuggestions:         true, // run makes them part of the sentence
		SuggestionsMinimumDistance: 2,
	}
	root.AddCommand(
		newRun(c), newCheck(c), newPlan(c), newExplain(c), newDiff(c), newNext(c), newList(c), newSimulate(c), newDemo(c), newPlatform(c), newInit(c), newLedger(c), newSchema(c), newVersion(c),
	)
	root.SetIn(c.in)
	root.SetOut(c.out) // before there is a completion command, which keeps it
	root.SetErr(c.err)
	root.SetHelpCommand(newHelp(c))
	root.InitDefaultCompletionCmd()
	refuseOthers(root)
	return root
}

// newHelp is `curfew help`. Cobra's own calls an unknown topic fine.
func newHelp(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		Long:  "Help about any command: curfew help plan is curfew plan --help.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return topics(cmd.Root(), args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.began = true
			of, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("there is no command %q to help with", strings.Join(args, " "))
			}
			of.InitDefaultHelpFlag() // so that the page shows --help, too
			return of.Help()
		},
	}
}

// topics are the commands below the one that args name.
func topics(root *cobra.Command, args []string) []cobra.Completion {
	of, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 {
		return nil
	}
	var names []cobra.Completion
	for _, sub := range of.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return names
}

// refuseOthers lets `curfew completion` say which shells it knows to whoever
// names another one. Cobra's own shows its help, and calls that fine.
func refuseOthers(root *cobra.Command) {
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return // it is not there where there are no commands
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return usagef("no completion for %q: want bash, zsh, fish or powershell", args[0])
	}
}

// fileFlag is the flag that names the configuration in every command that reads
// one.
func fileFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "",
		"configuration `FILE`; without it $CURFEW_CONFIG, the text in $CURFEW_CONFIG_YAML, then /etc/curfew/curfew.yaml")
}

// formatFlag is -o. The first of the words is the default.
func formatFlag(cmd *cobra.Command, format *string, words ...string) {
	usage := "output format: " + words[0]
	for _, w := range words[1:] {
		usage += " or " + w
	}
	cmd.Flags().VarP(&choice{format, words}, "output", "o", usage)
	*format = words[0]
	// It fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// A choice is a flag that takes one of several words.
type choice struct {
	word  *string
	words []string
}

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	for _, w := range c.words {
		if w == s {
			*c.word = s
			return nil
		}
	}
	return &choiceError{c.words}
}

// String implements pflag.Value.
func (c *choice) String() string {
	if c.word == nil {
		return ""
	}
	return *c.word
}

// Type implements pflag.Value; it is what --help calls the value.
func (c *choice) Type() string { return "format" }

// A choiceError is a word that is none of them; cobra says for which flag.
type choiceError struct{ words []string }

// Error returns what would have been right.
func (e *choiceError) Error() string {
	s := "want " + e.words[0]
	for _, w := range e.words[1:] {
		s += " or " + w
	}
	return s
}

// whole is a flag that takes a whole number. Pflag's own tell people which
// function of strconv did not like their word.
type whole[T int | uint64] struct{ n *T }

// Set implements pflag.Value.
func (w whole[T]) Set(s string) error {
	switch n := any(w.n).(type) {
	case *int:
		v, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("want a whole number")
		}
		*n = v
	case *uint64:
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return errors.New("want a whole number, 0 or more")
		}
		*n = v
	}
	return nil
}

// String implements pflag.Value. Pflag asks the zero value, too.
func (w whole[T]) String() string {
	if w.n == nil {
		return "0"
	}
	return fmt.Sprint(*w.n)
}

// Type implements pflag.Value; it is what --help calls the value.
func (w whole[T]) Type() string { return "int" }
