//! Several logs in one order. Pure.

/// Which of these lines, each the next one of its log, comes first: the one with the smallest moment, and
/// of equals that of the first log. `None` where none has one.
///
/// A log's own lines are never put in another order, even if its clock was set back meanwhile.
pub(crate) fn next<K: Ord>(heads: impl IntoIterator<Item = Option<K>>) -> Option<usize> {
    let mut first: Option<(K, usize)> = None;
    for (index, key) in heads.into_iter().enumerate() {
        if let Some(key) = key
            && first.as_ref().is_none_or(|(smallest, _)| key < *smallest)
        {
            first = Some((key, index));
        }
    }
    first.map(|(_, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn merged(logs: &[Vec<u32>]) -> Vec<(u32, usize, usize)> {
        let mut logs: Vec<VecDeque<(usize, u32)>> =
            logs.iter().map(|log| log.iter().copied().enumerate().collect()).collect();
        let mut out = Vec::new();
        while let Some(log) = next(logs.iter().map(|log| log.front().map(|(_, key)| *key))) {
            let (line, key) = logs[log].pop_front().expect("a line");
            out.push((key, log, line));
        }
        out
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert_eq!(next::<u32>([]), None);
        assert_eq!(next::<u32>([None, None]), None);
        assert_eq!(next([None, Some(7), Some(7)]), Some(1));
        assert_eq!(next([Some(8), None, Some(7)]), Some(2));
    }

    proptest! {
        #[test]
        fn logs_in_order_are_sorted_as_a_whole_and_stably(
            mut logs in prop::collection::vec(prop::collection::vec(0_u32..20, 0..12), 0..5),
        ) {
            logs.iter_mut().for_each(|log| log.sort_unstable());
            let out = merged(&logs);
            prop_assert!(out.is_sorted());
            prop_assert_eq!(out.len(), logs.iter().map(Vec::len).sum::<usize>());
        }

        #[test]
        fn no_log_is_put_in_another_order(
            logs in prop::collection::vec(prop::collection::vec(0_u32..20, 0..12), 1..5),
        ) {
            let out = merged(&logs);
            for (index, log) in logs.iter().enumerate() {
                let own: Vec<u32> = out.iter().filter(|(_, of, _)| *of == index).map(|(key, ..)| *key).collect();
                prop_assert_eq!(&own, log);
            }
        }

        #[test]
        fn the_last_lines_need_no_more_than_the_last_lines_of_each(
            mut logs in prop::collection::vec(prop::collection::vec(0_u32..20, 0..12), 0..5), count in 0_usize..15,
        ) {
            logs.iter_mut().for_each(|log| log.sort_unstable());
            let whole = merged(&logs);
            let tails: Vec<Vec<u32>> = logs.iter().map(|log| log[log.len().saturating_sub(count)..].to_vec()).collect();
            let last = merged(&tails);
            let keys = |lines: &[(u32, usize, usize)]| lines.iter().map(|(key, log, _)| (*key, *log)).collect::<Vec<_>>();
            let count = count.min(whole.len());
            prop_assert_eq!(keys(&whole[whole.len() - count..]), keys(&last[last.len() - count..]));
        }
    }
}
