package value

// MaxItemSize is the size that an item may have, names included.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const MaxItemSize = 400 * 1024

// containerOverhead is what a list or a map counts beside its contents.
const containerOverhead = 3

// Size is what the value counts towards the size of its item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (v Value) Size() int {
	switch v.kind {
	case String, Binary:
		return len(v.text)
	case Numeric:
		return numberOf(v.text).size()
	case List:
		size := containerOverhead
		for _, element := range v.list {
			size += 1 + element.Size()
		}
		return size
	case Map:
		return containerOverhead + len(v.item) + v.item.Size()
	case StringSet, BinarySet:
		size := 0
		for _, element := range v.set {
			size += len(element)
		}
		return size
	case NumberSet:
		size := 0
		for _, element := range v.set {
			size += numberOf(element).size()
		}
		return size
	}
	return 1
}

// Size is the size of an item: its names and its values.
func (item Item) Size() int {
	size := 0
	for name, v := range item {
		size += len(name) + v.Size()
	}
	return size
}
