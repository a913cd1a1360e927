package main

import (
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
  curfew simulate -c curfew.yaml          what would that cost and save?
  curfew run -c curfew.yaml               do it`,
		Version:       ownVersion(), // for those who try --version first
		SilenceUsage:  true,
		SilenceErrors: true, // run tells them, and knows the exit code

		DisableSuggestions:         true, // run makes them part of the sentence
		SuggestionsMinimumDistance: 2,
	}
	root.AddCommand(
		newRun(c), newCheck(c), newPlan(c), newNext(c), newSimulate(c), newDemo(c), newPlatform(c), newVersion(c),
	)
	return root
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
