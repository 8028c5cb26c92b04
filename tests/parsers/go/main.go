// Command parsers is a trainer with one of the argument parsers of Go. It prints what the parser has
// understood, in one line.
package main

import (
	"fmt"
	"log"
	"math"
	"os"
	"strconv"
	"strings"

	"flag"

	"github.com/alecthomas/kong"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/urfave/cli/v2"
)

type values struct {
	Lr, Offset float64
	Epochs, X  int
	Name       string
	Amp        bool
	Cache      bool `default:"true" negatable:""`
	Layers     []int
}

func (v *values) show() {
	var layers []string
	for _, n := range v.Layers {
		layers = append(layers, strconv.Itoa(n))
	}
	fmt.Println(math.Round(v.Lr*1e6), v.Epochs, v.Name, math.Round(v.Offset*10), v.Amp, v.Cache,
		strings.Join(layers, ","), v.X)
}

func main() {
	v := &values{Cache: true}
	args := os.Args[2:]
	var err error
	switch os.Args[1] {
	case "flag":
		err = parseFlag(v, args)
	case "pflag":
		set := pflag.NewFlagSet("train", pflag.ContinueOnError)
		addFlags(set, v)
		err = set.Parse(args)
	case "cobra":
		cmd := &cobra.Command{Use: "train", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return nil }}
		addFlags(cmd.Flags(), v)
		cmd.SetArgs(args)
		err = cmd.Execute()
	case "urfave":
		err = parseUrfave(v, args)
	case "kong":
		var parser *kong.Kong
		if parser, err = kong.New(v); err == nil {
			_, err = parser.Parse(args)
		}
	}
	if err != nil {
		log.Fatal(err)
	}
	v.show()
}

func parseFlag(v *values, args []string) error {
	set := flag.NewFlagSet("train", flag.ContinueOnError)
	set.Float64Var(&v.Lr, "lr", 0, "")
	set.IntVar(&v.Epochs, "epochs", 0, "")
	set.StringVar(&v.Name, "name", "", "")
	set.Float64Var(&v.Offset, "offset", 0, "")
	set.BoolVar(&v.Amp, "amp", false, "")
	set.BoolVar(&v.Cache, "cache", true, "")
	set.Func("layers", "", func(text string) error {
		n, err := strconv.Atoi(text)
		v.Layers = append(v.Layers, n)
		return err
	})
	set.IntVar(&v.X, "x", 0, "")
	return set.Parse(args)
}

func addFlags(set *pflag.FlagSet, v *values) {
	set.Float64Var(&v.Lr, "lr", 0, "")
	set.IntVar(&v.Epochs, "epochs", 0, "")
	set.StringVar(&v.Name, "name", "", "")
	set.Float64Var(&v.Offset, "offset", 0, "")
	set.BoolVar(&v.Amp, "amp", false, "")
	set.BoolVar(&v.Cache, "cache", true, "")
	set.IntSliceVar(&v.Layers, "layers", nil, "")
	set.IntVarP(&v.X, "xs", "x", 0, "")
}

func parseUrfave(v *values, args []string) error {
	app := &cli.App{
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "lr", Destination: &v.Lr},
			&cli.IntFlag{Name: "epochs", Destination: &v.Epochs},
			&cli.StringFlag{Name: "name", Destination: &v.Name},
			&cli.Float64Flag{Name: "offset", Destination: &v.Offset},
			&cli.BoolFlag{Name: "amp", Destination: &v.Amp},
			&cli.BoolFlag{Name: "cache", Value: true, Destination: &v.Cache},
			&cli.IntSliceFlag{Name: "layers"},
			&cli.IntFlag{Name: "x", Destination: &v.X},
		},
		Action: func(ctx *cli.Context) error {
			v.Layers = ctx.IntSlice("layers")
			return nil
		},
	}
	return app.Run(append([]string{"train"}, args...))
}
