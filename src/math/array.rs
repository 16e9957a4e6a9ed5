//! Arrays of numbers on the host: values of parameters, data, results of the evaluator.

/// A row-major array. Truth values are 0 and 1, integers are whole numbers; a scalar has an empty shape.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    /// An array from its elements in row-major order.
    pub fn new(shape: Vec<usize>, values: Vec<f64>) -> Array {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "elements fill the shape");
        Array { shape, values }
    }

    pub fn scalar(value: f64) -> Array {
        Array { shape: Vec::new(), values: vec![value] }
    }

    pub fn vector(values: Vec<f64>) -> Array {
        Array { shape: vec![values.len()], values }
    }

    pub fn is_scalar(&self) -> bool {
        self.shape.is_empty()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The element at these indices, one for each axis; none outside the array.
    pub fn get(&self, at: &[usize]) -> Option<f64> {
        if at.len() != self.shape.len() {
            return None;
        }
        let mut flat = 0;
        for (i, n) in at.iter().zip(&self.shape) {
            if i >= n {
                return None;
            }
            flat = flat * n + i;
        }
        self.values.get(flat).copied()
    }
}

impl From<f64> for Array {
    fn from(value: f64) -> Array {
        Array::scalar(value)
    }
}

impl From<Vec<f64>> for Array {
    fn from(values: Vec<f64>) -> Array {
        Array::vector(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_row_major() {
        let a = Array::new(vec![2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(a.get(&[1, 0]), Some(3.0));
        assert_eq!(a.get(&[0, 3]), None);
        assert_eq!(a.get(&[1]), None);
        assert_eq!(Array::scalar(7.0).get(&[]), Some(7.0));
    }
}
