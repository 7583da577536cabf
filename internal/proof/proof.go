// Package proof holds proofs that need whole processes: till as it is shipped, started, killed at each boundary and started again; and two
// of them on one database. It has only tests.
package proof
