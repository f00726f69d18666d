-- Tracking categories: an option belongs to its category.

-- name: after_merge_tracking_option!
UPDATE qicworks.tracking_option AS option
   SET tracking_category_id = category.id, synced_at = now()
  FROM qicworks.tracking_category AS category
 WHERE option.connection_id = :connection_id AND category.connection_id = :connection_id
   AND category.xero_id = option.category_xero_id AND option.tracking_category_id IS DISTINCT FROM category.id;
