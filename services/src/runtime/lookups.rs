//! The use case that every noun with an ID has: its objects of a site by their IDs.

/// Declares a use case that returns the objects of a site with the given IDs. Unknown IDs are left out. It fails with
/// `Forbidden` without the scope.
///
/// `find_by_ids! { name, Scope, Id => Object, query }` follows the description of the use case.
macro_rules! find_by_ids {
    ($(#[$doc:meta])* $name:ident, $scope:ident, $id:ty => $object:ty, $query:path) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// `Forbidden`.
        #[$crate::boxed]
        pub async fn $name(
            services: &$crate::Services,
            viewer: &$crate::Viewer,
            named: Option<helpbot_domain::ids::SiteId>,
            ids: &[$id],
        ) -> $crate::Result<Vec<$object>> {
            viewer.require(helpbot_domain::key::Scope::$scope)?;
            Ok($query(&mut services.db.reader().await?, viewer.site(named)?, ids).await?)
        }
    };
}
pub(crate) use find_by_ids;
