//! Arrays in NumPy's format 1.0: little-endian doubles in C order.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io::{self, Write};

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// Writes an array.
pub fn write(out: &mut impl Write, shape: &[usize], values: &[f64]) -> io::Result<()> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "values fill their shape");
    let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}{comma}), }}", extents.join(", "));
    // The data begin at a multiple of 64 bytes; the header ends in a newline.
    let before = MAGIC.len() + 2;
    while !(before + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| io::Error::other("an array of too many axes"))?;
    out.write_all(MAGIC)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    values.iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))
}

/// Reads what [`write`] wrote: shape and values. `None` for anything else.
pub fn read(bytes: &[u8]) -> Option<(Vec<usize>, Vec<f64>)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (header, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let header = std::str::from_utf8(header).ok()?;
    if !header.contains("'<f8'") || !header.contains("'fortran_order': False") {
        return None;
    }
    let (_, shape) = header.split_once("'shape': (")?;
    let (shape, _) = shape.split_once(')')?;
    let extents = shape.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape: Vec<usize> = extents.map(|s| s.parse().ok()).collect::<Option<_>>()?;
    let (chunks, left) = data.as_chunks::<8>();
    let values: Vec<f64> = chunks.iter().map(|c| f64::from_le_bytes(*c)).collect();
    (left.is_empty() && values.len() == shape.iter().product::<usize>()).then_some((shape, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(shape: &[usize], values: &[f64]) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, shape, values).expect("written");
        out
    }

    #[test]
    fn the_bytes_are_those_of_numpy() {
        // numpy.save of numpy.array([[1.0, 2.0, -0.5]])
        let mut want = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }".to_vec();
        want.resize(127, b' ');
        want.push(b'\n');
        for x in [1.0f64, 2.0, -0.5] {
            want.extend(x.to_le_bytes());
        }
        assert_eq!(bytes(&[1, 3], &[1.0, 2.0, -0.5]), want);
    }

    #[test]
    fn arrays_read_back() {
        let values: Vec<f64> = (0..24).map(|k| f64::from(k) / 7.0).collect();
        for shape in [vec![2, 3, 4], vec![24], vec![1, 24, 1]] {
            let data = bytes(&shape, &values);
            assert_eq!((data.len() - 24 * 8) % 64, 0);
            assert_eq!(read(&data), Some((shape, values.clone())));
        }
        assert_eq!(read(&bytes(&[], &[1.5])), Some((vec![], vec![1.5])));
        assert_eq!(read(&bytes(&[0, 3], &[])), Some((vec![0, 3], vec![])));
    }

    #[test]
    fn other_bytes_are_refused() {
        let good = bytes(&[2], &[1.0, 2.0]);
        assert_eq!(read(&good[..good.len() - 1]), None);
        assert_eq!(read(b"PK\x03\x04"), None);
        assert_eq!(read(b""), None);
    }
}
