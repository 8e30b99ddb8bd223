package kinds

// noun names a value of the type, for messages.
func (t Type) noun() string {
	switch t {
	case Object:
		return "an object"
	case Map:
		return "an object with free keys"
	case List:
		return "a list"
	case String:
		return "a string"
	case Integer:
		return "a whole number"
	case Number:
		return "a number"
	case Boolean:
		return "true or false"
	case Quantity:
		return "a quantity such as 500m or 1Gi"
	case IntOrString:
		return "a whole number or a string"
	case Time:
		return "a time such as 2006-01-02T15:04:05Z"
	case Duration:
		return "a duration such as 30s"
	case Bytes:
		return "binary data in base64"
	}
	return "a value"
}
