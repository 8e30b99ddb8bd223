package hclspec

import "kplan.dev/kplan/kinds"

func fromCRD(map[string]any) ([]*kinds.Kind, error) { return nil, nil }
