// Till is a self-hosted payments service on Stripe, and Stripe in a box.
package main

import (
	"os"

	"github.com/till-pay/till/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
