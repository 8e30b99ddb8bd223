package funcs

import (
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

var networkFunctions = map[string]function.Function{
	"cidrcontains": cidrcontainsFunc,
	"cidrhost":     cidrhostFunc,
	"cidrnetmask":  textFunc("The netmask of an IPv4 prefix.", cidrNetmask),
	"cidrsubnet":   cidrsubnetFunc,
	"cidrsubnets":  cidrsubnetsFunc,
}

// parsePrefix reads a prefix. Leading zeros in an address are refused: some
// programs read them as octal.
func parsePrefix(text string) (*net.IPNet, error) {
	if _, err := netip.ParsePrefix(text); err != nil {
		return nil, fmt.Errorf("%q is not an address prefix such as 10.0.0.0/8", text)
	}
	_, network, err := net.ParseCIDR(text)
	return network, err
}

var prefixParam = function.Parameter{Name: "prefix", Type: cty.String}

var cidrhostFunc = function.New(&function.Spec{
	Description: "The address of a host, by its number, in a prefix.",
	Params:      []function.Parameter{prefixParam, {Name: "hostnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		number, err := wholeNumber(args[1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		address, err := cidr.HostBig(network, number)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(address.String()), nil
	},
})

func wholeNumber(v cty.Value) (*big.Int, error) {
	n := new(big.Int)
	f := v.AsBigFloat()
	if checkNumber(f) != nil || !f.IsInt() {
		return nil, errors.New("a whole number is required")
	}
	f.Int(n)
	return n, nil
}

func cidrNetmask(prefix string) (string, error) {
	network, err := parsePrefix(prefix)
	if err != nil {
		return "", err
	}
	if len(network.Mask) != net.IPv4len {
		return "", errors.New("only IPv4 has netmasks")
	}
	return net.IP(network.Mask).String(), nil
}

var cidrsubnetFunc = function.New(&function.Spec{
	Description: "A prefix inside of a prefix, by its number.",
	Params:      []function.Parameter{prefixParam, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		var bits int
		if err := gocty.FromCtyValue(args[1], &bits); err != nil || bits < 0 {
			return cty.NilVal, function.NewArgErrorf(1, "a whole number of bits is required")
		}
		number, err := wholeNumber(args[2])
		if err != nil {
			return cty.NilVal, function.NewArgError(2, err)
		}
		if _, size := network.Mask.Size(); bits > size {
			return cty.NilVal, function.NewArgErrorf(1, "an address has only %d bits", size)
		}
		subnet, err := cidr.SubnetBig(network, bits, number)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(subnet.String()), nil
	},
})

var cidrsubnetsFunc = function.New(&function.Spec{
	Description: "Prefixes one after another inside of a prefix, each longer than it by a number of bits.",
	Params:      []function.Parameter{prefixParam},
	VarParam:    &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:        function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		prefixes := make([]cty.Value, 0, len(args)-1)
		length, size := network.Mask.Size()
		var last *net.IPNet
		for i, arg := range args[1:] {
			var bits int
			if err := gocty.FromCtyValue(arg, &bits); err != nil || bits < 1 || length+bits > size {
				return cty.NilVal, function.NewArgErrorf(i+1, "a number of bits from 1 to %d is required", size-length)
			}
			if last, err = nextSubnet(network, last, length+bits); err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			prefixes = append(prefixes, cty.StringVal(last.String()))
		}
		if len(prefixes) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		return cty.ListVal(prefixes), nil
	},
})

// nextSubnet is the first prefix of that length behind last, nil for none yet,
// within network.
func nextSubnet(network, last *net.IPNet, length int) (*net.IPNet, error) {
	if last == nil {
		return cidr.SubnetBig(network, length-prefixLength(network), new(big.Int))
	}
	next, overflow := cidr.NextSubnet(last, length)
	if overflow || !network.Contains(next.IP) {
		return nil, fmt.Errorf("no room is left in %s for a prefix of length %d", network, length)
	}
	return next, nil
}

func prefixLength(network *net.IPNet) int {
	length, _ := network.Mask.Size()
	return length
}

var cidrcontainsFunc = function.New(&function.Spec{
	Description: "Reports whether a prefix contains an address or another prefix.",
	Params:      []function.Parameter{prefixParam, {Name: "contained", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		outer, err := netip.ParsePrefix(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "%q is not an address prefix such as 10.0.0.0/8", args[0].AsString())
		}
		inner, err := netip.ParsePrefix(args[1].AsString())
		if err != nil {
			address, err := netip.ParseAddr(args[1].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(1, "%q is neither an address nor an address prefix", args[1].AsString())
			}
			inner = netip.PrefixFrom(address, address.BitLen())
		}
		if outer.Addr().Is4() != inner.Addr().Is4() {
			return cty.NilVal, errors.New("one of them is IPv4 and the other IPv6")
		}
		return cty.BoolVal(inner.Bits() >= outer.Bits() && outer.Contains(inner.Addr())), nil
	},
})
